// The operations that CUDA has its own way for; see DeviceOps.
#pragma once

#include "ops/device_ops.h"

namespace pleat::cuda {

[[nodiscard]] at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                Activation activation, Rows rows);
[[nodiscard]] at::Tensor attention(const AttentionInput& input);
[[nodiscard]] PairUpdate make_triangle_attention(const TriangleAttentionWeights& weights, Node node);

}  // namespace pleat::cuda
