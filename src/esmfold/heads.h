// What ESMFold says of its own prediction: confidence per atom and per pair of residues, distances, residues. Bins and
// formulas as in Jumper et al. 2021, supplement, sections 1.9.6 (pLDDT), 1.9.7 (PAE, pTM) and 1.9.8 (distogram).
// P positions, all arithmetic in float32.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "esm2/loader.h"
#include "esmfold/distances.h"
#include "esmfold/interfaces.h"
#include "ops/linear/linear.h"

namespace pleat {

// How well residues lie to one another.
struct AlignmentConfidence {
  at::Tensor pae;  // [P, P] ångström: the error expected at column j with row i aligned; undefined unless asked for
  double ptm = 0;  // the TM-score expected of the whole, 0 to 1; NaN where the pair state is not finite
  // [P, P], as in AlignedErrors; undefined where no chains were given.
  at::Tensor complex_terms;
  at::Tensor pair_terms;
};

class Heads {
 public:
  // The loader's precision must be float32.
  explicit Heads(const Loader& loader);

  // state [P, c] of the structure module's last block, aatype [P] int64
  // -> [P, 14], 0 to 100, zero where there is no atom.
  [[nodiscard]] at::Tensor plddt(const at::Tensor& state, const at::Tensor& aatype) const;

  // pair [P, P, C], contiguous. With `chains` also what interfaces_of() needs. Works through it in blocks of about
  // `block` pairs, so that the logits never exist as a whole; from 8 pairs on the block size changes no bit of the
  // result. Elsewhere than on the processor blocks are larger.
  [[nodiscard]] AlignmentConfidence alignment(const at::Tensor& pair, bool pae, const ChainPairs* chains = nullptr,
                                              std::int64_t block = 1024) const;

  // pair [P, P, C], contiguous -> [P, P, 64], symmetric.
  [[nodiscard]] at::Tensor distogram_logits(const at::Tensor& pair) const;
  // The same as distances. Works through blocks of rows, so that without `bins` the logits never exist as a whole.
  [[nodiscard]] Distances distances(const at::Tensor& pair, bool bins) const;

  // s [P, c_s] -> [P, 23]: padding, the residues in AlphaFold's order, X, mask.
  [[nodiscard]] at::Tensor lm_logits(const at::Tensor& s) const;

 private:
  // Rows [begin, end) of the distogram's logits: [end - begin, P, 64].
  [[nodiscard]] at::Tensor distogram_rows(const at::Tensor& pair, std::int64_t begin, std::int64_t end) const;

  LayerNorm plddt_norm_;
  Linear plddt_in_;
  Linear plddt_hidden_;
  Linear plddt_out_;  // -> 37 atoms x 50 bins
  Linear ptm_;
  Linear distogram_;
  Linear lm_;
};

}  // namespace pleat
