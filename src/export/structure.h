// One predicted structure as a text file: PDB, or mmCIF with the categories of ModelCIF.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/structure_format.h"
#include "format/stored_interfaces.h"

namespace pleat {

class ResultReader;

// "pdb": the name in manifests and options, and the file extension.
[[nodiscard]] std::string_view name_of(StructureFormat format);

// What files say about where they come from.
struct StructureOrigin {
  std::string pleat_version;
  std::string model_name;
  std::string created_utc;     // ISO 8601
  std::string untrained_note;  // a sentence; empty where the weights are trained
};

[[nodiscard]] StructureOrigin origin_of(const ResultReader& results);

// L residues.
struct Structure {
  std::string id;                            // of the record
  std::string description;                   // of the record
  std::string residues;                      // [L] one-letter codes
  std::vector<std::uint16_t> chain;          // [L] from 0, rising
  std::vector<std::int32_t> residue_number;  // [L] from 1 in each chain
  std::vector<float> positions;              // [L, 14, 3] ångström, in the slots of pleat/sequence/residues.h
  std::vector<std::uint8_t> atom_mask;       // [L, 14]
  std::vector<float> plddt;                  // [L, 14] 0 to 100
  float mean_plddt = 0;
  float ptm = 0;
  StoredInterfaces interfaces;  // empty where they were not asked for
};

// Whether another format than PDB would hold what PDB cannot.
[[nodiscard]] bool only_pdb_cannot(const Structure& structure);

// Why the format cannot hold the structure, as one sentence; empty where it can. No format holds one without atoms or
// with coordinates that are not finite. A PDB file holds at most 62 chains, 9,999 residues a chain, 99,999 atoms and
// chain ends, and coordinates from -999.999 to 9999.999.
[[nodiscard]] std::string reason_against(const Structure& structure, StructureFormat format);

// The whole file. Residues without atoms are in the sequence (SEQRES, _entity_poly_seq) only. Throws Error(bad_input)
// with reason_against() where there is one.
[[nodiscard]] std::string pdb_text(const Structure& structure, const StructureOrigin& origin);
[[nodiscard]] std::string cif_text(const Structure& structure, const StructureOrigin& origin);
[[nodiscard]] std::string structure_text(const Structure& structure, StructureFormat format,
                                         const StructureOrigin& origin);

// "A" to "Z", "a" to "z", "0" to "9", then "AA", "AB", ...: what both formats call a chain.
[[nodiscard]] std::string chain_name(std::int64_t chain);

}  // namespace pleat
