// What a pair representation adds to the scores of attention.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "ops/layer_norm/layer_norm.h"

namespace pleat {

// The bias of every head: LN(z) . weight. z [L, L, C], weight [heads, C] -> [heads, L, L], all float32.
class PairBias {
 public:
  PairBias() = default;
  // `operands`: float32, or bfloat16 where a device that has a kernel for that may round the operands to it.
  PairBias(LayerNorm norm, at::Tensor weight, at::ScalarType operands = at::kFloat);

  // Elsewhere than on the processor the rows of the result may be further apart than L.
  [[nodiscard]] at::Tensor operator()(const at::Tensor& z) const;

 private:
  LayerNorm norm_;
  at::Tensor weight_;
  std::function<at::Tensor(const at::Tensor& z)> own_;  // the device's, where it has one
};

// `transposed`: of pair (j, i) in place of (i, j).
[[nodiscard]] at::Tensor pair_bias(const at::Tensor& z, const LayerNorm& norm, const at::Tensor& weight,
                                   bool transposed = false);
[[nodiscard]] at::Tensor pair_bias_reference(const at::Tensor& z, const LayerNorm& norm, const at::Tensor& weight,
                                             bool transposed = false);

}  // namespace pleat
