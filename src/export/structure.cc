#include "export/structure.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/printable.h"
#include "results/result_reader.h"
#include "sequence/residues.h"

namespace pleat {
namespace {

constexpr std::string_view one_letter_chains = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
// The columns of a PDB file: a chain is one character, a serial number five, a residue number four, a coordinate eight.
constexpr std::int64_t most_pdb_serials = 99'999;
constexpr std::int32_t most_pdb_residues = 9'999;
constexpr double least_pdb_coordinate = -999.9995;
constexpr double largest_pdb_coordinate = 9999.9995;

struct Extremes {
  std::int64_t atoms = 0;
  std::int64_t chains_with_atoms = 0;
  bool finite = true;
  double least = 0;
  double largest = 0;
};

Extremes extremes_of(const Structure& structure) {
  Extremes found;
  std::int64_t last_chain = -1;
  for (std::size_t atom = 0; atom < structure.atom_mask.size(); ++atom) {
    if (structure.atom_mask[atom] == 0) continue;
    ++found.atoms;
    const std::uint16_t chain = structure.chain[atom / residues::slots];
    if (chain != last_chain) ++found.chains_with_atoms;
    last_chain = chain;
    found.finite = found.finite && std::isfinite(structure.plddt[atom]);
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const double coordinate = structure.positions[3 * atom + axis];
      found.finite = found.finite && std::isfinite(coordinate);
      found.least = std::min(found.least, coordinate);
      found.largest = std::max(found.largest, coordinate);
    }
  }
  return found;
}

std::string pdb_reason(const Structure& structure, const Extremes& extremes) {
  const auto chains = static_cast<std::size_t>(structure.chain.back()) + 1;
  if (chains > one_letter_chains.size()) {
    return "it has " + std::to_string(chains) + " chains, and a PDB file holds " +
           std::to_string(one_letter_chains.size());
  }
  const std::int32_t longest = *std::ranges::max_element(structure.residue_number);
  if (longest > most_pdb_residues) {
    return "a chain of it has " + std::to_string(longest) + " residues, and a PDB file holds 9,999 a chain";
  }
  const std::int64_t serials = extremes.atoms + extremes.chains_with_atoms;  // the end of a chain takes one too
  if (serials > most_pdb_serials) {
    return "it has " + std::to_string(extremes.atoms) + " atoms, and a PDB file holds 99,999 with the ends of chains";
  }
  if (extremes.least <= least_pdb_coordinate || extremes.largest >= largest_pdb_coordinate) {
    return "it reaches beyond -999.999 to 9999.999 ångström, which a PDB file cannot hold";
  }
  return {};
}

void check_sizes(const Structure& structure) {
  const std::size_t length = structure.residues.size();
  const std::size_t atoms = length * residues::slots;
  if (structure.chain.size() == length && structure.residue_number.size() == length &&
      structure.positions.size() == 3 * atoms && structure.atom_mask.size() == atoms &&
      structure.plddt.size() == atoms) {
    return;
  }
  throw Error(ErrorCode::internal, "a structure whose parts differ in length");
}

}  // namespace

std::string_view name_of(StructureFormat format) { return format == StructureFormat::pdb ? "pdb" : "cif"; }

StructureOrigin origin_of(const ResultReader& results) {
  const FileAttributes& made = results.attributes();
  return {made.pleat_version, made.model_name, made.created_utc, results.untrained_note()};
}

std::string reason_against(const Structure& structure, StructureFormat format) {
  check_sizes(structure);
  const Extremes extremes = extremes_of(structure);
  if (extremes.atoms == 0) return "it has no atoms: every residue of it is X";
  if (!extremes.finite) return "a coordinate or a pLDDT of it is not a finite number";
  return format == StructureFormat::pdb ? pdb_reason(structure, extremes) : std::string();
}

bool only_pdb_cannot(const Structure& structure) {
  return reason_against(structure, StructureFormat::cif).empty() &&
         !reason_against(structure, StructureFormat::pdb).empty();
}

std::string structure_text(const Structure& structure, StructureFormat format, const StructureOrigin& origin) {
  const std::string reason = reason_against(structure, format);
  if (!reason.empty()) {
    throw Error(
        ErrorCode::bad_input,
        "'" + printable(structure.id) + "' cannot be written as " + std::string(name_of(format)) + ": " + reason,
        format == StructureFormat::pdb && only_pdb_cannot(structure) ? "mmCIF has no such limits: --format cif" : "");
  }
  return format == StructureFormat::pdb ? pdb_text(structure, origin) : cif_text(structure, origin);
}

std::string chain_name(std::int64_t chain) {
  const auto single = std::ssize(one_letter_chains);
  if (chain < single) return {one_letter_chains[static_cast<std::size_t>(chain)]};
  constexpr std::int64_t letters = 26;
  std::int64_t rest = chain - single;
  std::string name;
  // Names of two letters first, then of three, ...: each length has 26 times as many.
  std::size_t length = 2;
  for (std::int64_t names = letters * letters; rest >= names; names *= letters, ++length) rest -= names;
  for (; name.size() < length; rest /= letters) name.insert(name.begin(), static_cast<char>('A' + rest % letters));
  return name;
}

}  // namespace pleat
