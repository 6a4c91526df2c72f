// Self-attention over a sequence with a bias that its pair representation gives.
#pragma once

#include <ATen/core/Tensor.h>

namespace pleat {

// sigmoid(gate) * softmax(q k^T / sqrt(Dh) + bias) v, arithmetic in float32. qkv [L, H, 3, Dh] and gate [L, H * Dh],
// contiguous, of one type, float32 or bfloat16; bias [H, L, L] float32 -> [L, H * Dh] in the type of qkv. Without a
// gate where it is undefined.
[[nodiscard]] at::Tensor biased_attention(const at::Tensor& qkv, const at::Tensor& bias, const at::Tensor& gate = {});
[[nodiscard]] at::Tensor biased_attention_reference(const at::Tensor& qkv, const at::Tensor& bias,
                                                    const at::Tensor& gate = {});

}  // namespace pleat
