// How many rows the datasets of a result file have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pleat {

// What a dataset has a row for. From `sequence` on, a sequence has rows of its own, and they lie end to end.
enum class Extent : std::uint8_t {
  record,
  input,
  residue_kind,  // of the table of atoms
  variant_row,   // of the table of variants
  sequence,
  residue,
  pair,     // of residues of a sequence
  variant,  // that is scored
  chain,
  chain_pair,
};

// What decides how many rows of a dataset belong to a sequence.
struct SequenceSize {
  // Most sequences have one chain.
  SequenceSize(std::int64_t residue_count, std::int64_t chain_count = 1,  // NOLINT(google-explicit-constructor)
               std::int64_t variant_count = 0)
      : residues(residue_count), chains(chain_count), variants(variant_count) {}

  std::int64_t residues;
  std::int64_t chains;
  std::int64_t variants;
};

[[nodiscard]] constexpr bool is_of_sequences(Extent extent) { return extent >= Extent::sequence; }
// Whether the number of rows depends on the chains of the sequences.
[[nodiscard]] constexpr bool counts_chains(Extent extent) { return extent >= Extent::chain; }

// How many rows a sequence has; 0 of what is not of sequences.
[[nodiscard]] inline std::int64_t rows_of(Extent extent, const SequenceSize& size) {
  switch (extent) {
    case Extent::record:
    case Extent::input:
    case Extent::residue_kind:
    case Extent::variant_row: return 0;
    case Extent::sequence: return 1;
    case Extent::residue: return size.residues;
    case Extent::pair: return size.residues * size.residues;
    case Extent::variant: return size.variants;
    case Extent::chain: return size.chains;
    case Extent::chain_pair: return size.chains * size.chains;
  }
  return 0;
}

// At which row each of `sequences` sequences begins, and at the end how many rows there are: [sequences + 1].
template <class SizeOf>
[[nodiscard]] std::vector<std::int64_t> begins_of(Extent extent, std::int64_t sequences, const SizeOf& size_of) {
  std::vector<std::int64_t> begins{0};
  begins.reserve(static_cast<std::size_t>(sequences) + 1);
  for (std::int64_t row = 0; row < sequences; ++row) begins.push_back(begins.back() + rows_of(extent, size_of(row)));
  return begins;
}

}  // namespace pleat
