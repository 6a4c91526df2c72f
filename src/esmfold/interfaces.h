// How well the chains of a complex lie to one another, by the aligned error that the model predicts. Formulas and
// sources are in docs/results.md. Linkers are left out of all of it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "esmfold/input.h"

namespace pleat {

// C chains. Tensors are float32.
struct Interfaces {
  double ptm = 0;          // of all residues: pTM without linkers
  double iptm = 0;         // NaN with one chain, as is everything on the diagonals below
  at::Tensor chain_ptm;    // [C] each chain by itself
  at::Tensor pair_iptm;    // [C, C] row: the aligned chain, column: the scored one; so below
  at::Tensor ipsae;        // [C, C]
  at::Tensor ipsae_d0chn;  // [C, C] with d0 from the residues of both chains
  at::Tensor min_pae;      // [C, C] ångström
  at::Tensor contacts;     // [C, C] pairs of residues whose C-alpha atoms are within 8 ångström
};

// d0 of the TM-score for n residues, ångström: Zhang and Skolnick 2004, with the least n that AlphaFold takes.
[[nodiscard]] double tm_scale(std::int64_t residues);

// The chains of a fold's input, and which d0 belongs to which two of them.
class ChainPairs {
 public:
  ChainPairs(const FoldInput& input, at::Device device);

  [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(lengths_.size()); }  // C
  [[nodiscard]] const std::vector<std::int64_t>& lengths() const { return lengths_; }              // [C] residues
  [[nodiscard]] std::int64_t residues() const;
  [[nodiscard]] const at::Tensor& of_position() const { return of_position_; }  // [P] int64
  // The residues that count for two chains: of both, of the one where they are the same. Each number once.
  [[nodiscard]] const std::vector<std::int64_t>& sizes() const { return sizes_; }
  [[nodiscard]] const at::Tensor& size_of_pair() const { return size_of_pair_; }  // [C, C] int64, index of sizes()

 private:
  std::vector<std::int64_t> lengths_;
  std::vector<std::int64_t> sizes_;
  at::Tensor of_position_;
  at::Tensor size_of_pair_;
};

// All [L, L], row: aligned residue. The terms of the TM-score are expectations of 1 / (1 + (error / d0)^2).
struct AlignedErrors {
  at::Tensor pae;            // ångström
  at::Tensor complex_terms;  // d0 from the residues of the whole complex
  at::Tensor pair_terms;     // d0 from the residues of the two chains
};

// alpha [L, 3] ångström; has_alpha [L], 0 where a residue has no C-alpha atom; `cutoff` of ipSAE, ångström.
[[nodiscard]] Interfaces interfaces_of(const AlignedErrors& errors, const at::Tensor& alpha,
                                       const at::Tensor& has_alpha, const std::vector<std::int64_t>& chain_lengths,
                                       double cutoff);

// Of a single chain, whose pTM is known.
[[nodiscard]] Interfaces interfaces_of_one_chain(double ptm);

}  // namespace pleat
