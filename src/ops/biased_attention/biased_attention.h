// Self-attention over a sequence with a bias that its pair representation gives.
#pragma once

#include <ATen/core/Tensor.h>

namespace pleat {

// softmax(q k^T / sqrt(Dh) + bias) v. qkv [L, H, 3, Dh] float32, contiguous; bias [H, L, L] -> [L, H * Dh].
[[nodiscard]] at::Tensor biased_attention(const at::Tensor& qkv, const at::Tensor& bias);
[[nodiscard]] at::Tensor biased_attention_reference(const at::Tensor& qkv, const at::Tensor& bias);

}  // namespace pleat
