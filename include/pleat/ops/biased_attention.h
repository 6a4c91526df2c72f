// Self-attention over a sequence with a bias that its pair representation gives.
#pragma once

#include <ATen/core/Tensor.h>

#include "pleat/ops/layer_norm.h"

namespace pleat {

// The bias of every head: LN(z) . weight. z [L, L, C], weight [heads, C] -> [heads, L, L], all float32.
// `transposed`: of pair (j, i) in place of (i, j).
[[nodiscard]] at::Tensor pair_bias(const at::Tensor& z, const LayerNorm& norm, const at::Tensor& weight,
                                   bool transposed = false);
[[nodiscard]] at::Tensor pair_bias_reference(const at::Tensor& z, const LayerNorm& norm, const at::Tensor& weight,
                                             bool transposed = false);

// softmax(q k^T / sqrt(Dh) + bias) v. qkv [L, H, 3, Dh] float32, contiguous; bias [H, L, L] -> [L, H * Dh].
[[nodiscard]] at::Tensor biased_attention(const at::Tensor& qkv, const at::Tensor& bias);
[[nodiscard]] at::Tensor biased_attention_reference(const at::Tensor& qkv, const at::Tensor& bias);

}  // namespace pleat
