// What the folding trunk is told of a sequence beside the language model's states.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace pleat {

// How the chains of a sequence written A:B are joined, and how far apart the trunk is told that they are.
struct ChainLink {
  std::int64_t linker_length = 25;  // glycines between two chains
  std::int64_t index_jump = 512;    // added to the residue index at each further chain
};

// P positions: the residues, and the linkers between chains.
struct FoldInput {
  std::vector<std::int64_t> aatype;         // [P], AlphaFold's order, ARNDCQEGHILKMFPSTWYV and 20 for X
  std::vector<std::int64_t> residue_index;  // [P]; a linker counts on from the chain before it
  std::vector<std::int64_t> residues;       // [L], the positions that are residues; the others are linkers
  std::vector<std::uint16_t> chain;         // [L], the chain of each residue, from 0; empty: all are of one

  [[nodiscard]] std::int64_t positions() const { return static_cast<std::int64_t>(aatype.size()); }
  [[nodiscard]] std::int64_t chains() const { return chain.empty() ? 1 : chain.back() + 1; }
  [[nodiscard]] std::int64_t chain_of(std::size_t residue) const { return chain.empty() ? 0 : chain[residue]; }
  [[nodiscard]] bool linked() const { return residues.size() != aatype.size(); }
};

// `residues` [L] in letters, `chain` [L] as in SequenceTable. Letters other than the 20 amino acids are X.
[[nodiscard]] FoldInput make_fold_input(std::string_view residues, std::span<const std::uint16_t> chain,
                                        const ChainLink& link);

}  // namespace pleat
