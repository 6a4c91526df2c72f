// What a sequence representation tells the pair representation: products and differences of two positions' projections
// (ESMFold, Lin et al. 2023, in place of AlphaFold's outer product mean).
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "ops/cpu/tile_kernels.h"
#include "ops/linear/linear.h"
#include "ops/weights.h"

namespace pleat {

struct SequenceToPairWeights {
  Projection out;  // [C, 2 K]: of the K products, then of the K differences
};

// z[i, j] += out([q_j * k_i, q_j - k_i]). The differences' part is linear in each position and is computed once for
// each, not once for each pair.
class SequenceToPair {
 public:
  // `operands`: float32, or bfloat16 where a device that has kernels for that, or a processor with tiles, may round the
  // operands of products to it.
  explicit SequenceToPair(const SequenceToPairWeights& weights, at::ScalarType operands = at::kFloat);

  // qk [L, 2 K] float32, contiguous: q beside k; z [L, L, C] float32, contiguous, changed in place.
  void operator()(at::Tensor& z, const at::Tensor& qk) const;

 private:
  std::function<void(at::Tensor& z, const at::Tensor& qk)> own_;  // the device's, where it has one
  SequenceToPairWeights weights_;                                 // where they are not on the processor
  const cpu::TileKernels* tiles_ = nullptr;                       // where products are by tiles
  at::Tensor product_panels_;                                     // or, by tiles, a right operand
  Linear difference_;                                             // K -> C, no bias
  at::Tensor bias_;                                               // [C]
};

void sequence_to_pair_reference(at::Tensor& z, const at::Tensor& qk, const SequenceToPairWeights& weights);

}  // namespace pleat
