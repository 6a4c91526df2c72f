// The rows of the table for /structures.
#pragma once

#include <array>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "format/schema.h"
#include "format/schema_table.h"
#include "sequence/residues.h"

namespace pleat::schema::rows {

inline constexpr auto slots = static_cast<std::int64_t>(residues::slots);

inline std::span<const std::byte> chain_bytes(const SequenceTable& sequences, std::vector<std::byte>& /*scratch*/) {
  return std::as_bytes(std::span(sequences.all_chains()));
}

inline std::span<const std::byte> residue_numbers(const SequenceTable& sequences, std::vector<std::byte>& scratch) {
  scratch.resize(sequences.all_chains().size() * sizeof(std::int32_t));
  std::byte* out = scratch.data();
  for (std::int64_t row = 0; row < sequences.size(); ++row) {
    const std::span<const std::uint16_t> chain = sequences.chain(row);
    std::int32_t number = 0;
    for (std::size_t i = 0; i < chain.size(); ++i) {
      number = i == 0 || chain[i] != chain[i - 1] ? 1 : number + 1;
      std::memcpy(out, &number, sizeof(number));
      out += sizeof(number);
    }
  }
  return scratch;
}

inline std::span<const std::byte> atom_names(const SequenceTable& /*sequences*/, std::vector<std::byte>& scratch) {
  constexpr std::size_t longest_name = 4;
  std::string names;
  for (const auto& row : residues::atom_names) {
    for (const std::string_view name : row) names.append(name).append(longest_name - name.size(), '\0');
  }
  const std::span<const std::byte> bytes = std::as_bytes(std::span(names));
  scratch.assign(bytes.begin(), bytes.end());
  return scratch;
}

inline std::span<const std::byte> chain_lengths(const SequenceTable& sequences, std::vector<std::byte>& scratch) {
  std::vector<std::int32_t> lengths;
  for (std::int64_t row = 0; row < sequences.size(); ++row) {
    const std::span<const std::uint16_t> chain = sequences.chain(row);
    for (std::size_t i = 0; i < chain.size(); ++i) {
      if (i == 0 || chain[i] != chain[i - 1]) lengths.push_back(0);
      ++lengths.back();
    }
  }
  const std::span<const std::byte> bytes = std::as_bytes(std::span(lengths));
  scratch.assign(bytes.begin(), bytes.end());
  return scratch;
}

// What is computed of the interfaces of a complex.
constexpr DatasetEntry of_interfaces(std::string_view path, Extent extent, Range range, bool may_lack_values,
                                     std::string_view unit, std::string_view help) {
  return {.path = path,
          .element = Element::float32,
          .extent = extent,
          .present = Present::with_interfaces,
          .content = Extra{},
          .range = range,
          .may_lack_values = may_lack_values,
          .unit = unit,
          .help = help};
}

// The same of each two chains: the diagonal holds NaN.
constexpr DatasetEntry of_chain_pairs(std::string_view path, Range range, std::string_view unit,
                                      std::string_view help) {
  return of_interfaces(path, Extent::chain_pair, range, true, unit, help);
}

constexpr DatasetEntry interface_offsets(std::string_view path, Extent of, std::string_view unit,
                                         std::string_view help) {
  return {.path = path,
          .element = Element::int64,
          .extent = Extent::sequence,
          .present = Present::with_interfaces,
          .content = Offsets{of},
          .unit = unit,
          .help = help};
}

inline constexpr Range probability{0, 1};
inline constexpr Range angstroms{0, 1000};

inline constexpr std::array structures{
    DatasetEntry{
        .path = positions,
        .element = Element::float32,
        .extent = Extent::residue,
        .row_shape = {slots, 3},
        .present = Present::with_structure,
        .content = ResultField([](SequenceResult& r, std::size_t) -> Values { return &r.structure.positions; }),
        .unit = angstrom,
        .help = "Where the atoms are: x, y, z. 0 where a slot has no atom."},
    DatasetEntry{
        .path = atom_mask,
        .element = Element::uint8,
        .extent = Extent::residue,
        .row_shape = {slots},
        .present = Present::with_structure,
        .content = ResultField([](SequenceResult& r, std::size_t) -> Values { return &r.structure.atom_mask; }),
        .missing = 0,
        .range = {0, 1},
        .help = "1 where there is an atom. X has none."},
    DatasetEntry{.path = plddt,
                 .element = Element::structure_float,
                 .extent = Extent::residue,
                 .row_shape = {slots},
                 .present = Present::with_structure,
                 .content = ResultField([](SequenceResult& r, std::size_t) -> Values { return &r.structure.plddt; }),
                 .range = {0, 100},
                 .unit = "0 to 100",
                 .help = "Confidence of each atom, pLDDT; 0 where there is no atom."},
    DatasetEntry{
        .path = mean_plddt,
        .element = Element::float32,
        .extent = Extent::sequence,
        .present = Present::with_structure,
        .content = ResultField([](SequenceResult& r, std::size_t) -> Values { return &r.structure.mean_plddt; }),
        .range = {0, 100},
        .may_lack_values = true,
        .unit = "0 to 100",
        .help = "Mean pLDDT over the atoms; NaN where a sequence of X alone has none."},
    DatasetEntry{.path = ptm,
                 .element = Element::float32,
                 .extent = Extent::sequence,
                 .present = Present::with_structure,
                 .content = ResultField([](SequenceResult& r, std::size_t) -> Values { return &r.structure.ptm; }),
                 .range = {0, 1},
                 .unit = "0 to 1",
                 .help = "Predicted TM-score, over linkers between chains too."},
    DatasetEntry{.path = recycles,
                 .element = Element::int32,
                 .extent = Extent::sequence,
                 .present = Present::with_structure,
                 .content = ResultField([](SequenceResult& r, std::size_t) -> Values { return &r.structure.recycles; }),
                 .missing = -1,
                 .range = {0, 1e6},
                 .help = "How often the trunk's result was fed back; -1 where never computed."},
    DatasetEntry{.path = pae,
                 .element = Element::structure_float,
                 .extent = Extent::pair,
                 .present = Present::with_pae,
                 .content = ResultField([](SequenceResult& r, std::size_t) -> Values { return &r.structure.pae; }),
                 .range = {0, 1000},
                 .unit = angstrom,
                 .help = "Predicted aligned error, an L x L matrix per sequence, end to end: the error expected at "
                         "residue j (column) with residue i (row) aligned."},
    DatasetEntry{.path = pae_offsets,
                 .element = Element::int64,
                 .extent = Extent::sequence,
                 .present = Present::with_pae,
                 .content = Offsets{Extent::pair},
                 .unit = "values",
                 .help = "The matrix of row u is [pae_offsets[u], pae_offsets[u + 1])."},
    DatasetEntry{.path = structure_chain,
                 .element = Element::uint16,
                 .extent = Extent::residue,
                 .present = Present::with_structure,
                 .content = OfSequences(chain_bytes),
                 .help = "As /sequences/chain."},
    DatasetEntry{.path = residue_number,
                 .element = Element::int32,
                 .extent = Extent::residue,
                 .present = Present::with_structure,
                 .content = OfSequences(residue_numbers),
                 .help = "Number of the residue, from 1 in each chain."},
    DatasetEntry{.path = atom14_names,
                 .element = Element::atom_name,
                 .extent = Extent::residue_kind,
                 .row_shape = {slots},
                 .present = Present::with_structure,
                 .content = OfSequences(atom_names),
                 .help = "Which atom lies in each slot, by kind of residue; empty where none does. The attribute "
                         "`residues` names the rows."},

    DatasetEntry{.path = distance_mean,
                 .element = Element::structure_float,
                 .extent = Extent::pair,
                 .present = Present::with_distances,
                 .content = Extra{},
                 .range = angstroms,
                 .unit = angstrom,
                 .help =
                     "Distance expected between the C-beta atoms of residues i and j (C-alpha of glycine), an L x L "
                     "matrix per sequence, end to end. Bins end at 22 ångström."},
    DatasetEntry{.path = distance_spread,
                 .element = Element::structure_float,
                 .extent = Extent::pair,
                 .present = Present::with_distances,
                 .content = Extra{},
                 .range = angstroms,
                 .unit = angstrom,
                 .help = "Its standard deviation."},
    DatasetEntry{.path = distance_bins,
                 .element = Element::structure_float,
                 .extent = Extent::pair,
                 .row_shape = {64},
                 .present = Present::with_distance_bins,
                 .content = Extra{},
                 .range = probability,
                 .unit = "probability",
                 .help = "Of each bin: 63 bounds between them, from 2.3125 to 21.6875 ångström, evenly spaced."},
    DatasetEntry{.path = distance_offsets,
                 .element = Element::int64,
                 .extent = Extent::sequence,
                 .present = Present::with_distances,
                 .content = Offsets{Extent::pair},
                 .unit = "values",
                 .help = "The matrices of row u are [offsets[u], offsets[u + 1])."},
    DatasetEntry{.path = trunk_states,
                 .element = Element::structure_float,
                 .extent = Extent::residue,
                 .row_shape = {trunk_width},
                 .present = Present::with_trunk_states,
                 .content = Extra{},
                 .help = "The folding trunk's state of each residue after the last pass."},

    of_interfaces(iptm, Extent::sequence, probability, true, "0 to 1",
                  "Interface TM-score of the whole complex, ipTM; NaN with one chain."),
    of_interfaces(ptm_residues, Extent::sequence, probability, false, "0 to 1", "As ptm, linkers left out."),
    interface_offsets(chain_offsets, Extent::chain, "chains", "The chains of row u are [offsets[u], offsets[u + 1])."),
    of_interfaces(chain_ptm, Extent::chain, probability, false, "0 to 1", "Predicted TM-score of the chain alone."),
    of_interfaces(chain_mean_plddt, Extent::chain, {0, 100}, true, "0 to 100",
                  "Mean pLDDT over the chain's atoms; NaN where a chain of X alone has none."),
    DatasetEntry{.path = chain_length,
                 .element = Element::int32,
                 .extent = Extent::chain,
                 .present = Present::with_interfaces,
                 .content = OfSequences(chain_lengths),
                 .unit = "residues",
                 .help = "How many residues the chain has."},
    interface_offsets(chain_pair_offsets, Extent::chain_pair, "values",
                      "The C x C matrices of row u are [offsets[u], offsets[u + 1]). In each the row is the aligned "
                      "chain and the column the scored one; the diagonal is NaN."),
    of_chain_pairs(pair_iptm, probability, "0 to 1", "ipTM of the two chains alone."),
    of_chain_pairs(ipsae, probability, "0 to 1", "ipSAE, d0 from the residues below the cutoff in each row (d0res)."),
    of_chain_pairs(ipsae_d0chn, probability, "0 to 1", "The same, d0 from the residues of both chains."),
    of_chain_pairs(min_pae, angstroms, angstrom, "The least PAE between the two."),
    of_chain_pairs(interface_contacts, {0, 1e12}, "pairs of residues",
                   "How many have their CA atoms within 8 ångström."),
};

}  // namespace pleat::schema::rows
