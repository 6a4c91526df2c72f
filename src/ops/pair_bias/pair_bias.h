// What a pair representation adds to the scores of attention.
#pragma once

#include <ATen/core/Tensor.h>

#include "ops/layer_norm/layer_norm.h"

namespace pleat {

// The bias of every head: LN(z) . weight. z [L, L, C], weight [heads, C] -> [heads, L, L], all float32.
// `transposed`: of pair (j, i) in place of (i, j).
[[nodiscard]] at::Tensor pair_bias(const at::Tensor& z, const LayerNorm& norm, const at::Tensor& weight,
                                   bool transposed = false);
[[nodiscard]] at::Tensor pair_bias_reference(const at::Tensor& z, const LayerNorm& norm, const at::Tensor& weight,
                                             bool transposed = false);

}  // namespace pleat
