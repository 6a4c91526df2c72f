// Layer normalisation, and with it a residual connection, in one pass over memory.
#pragma once

#include <ATen/core/Tensor.h>

namespace pleat {

// The parameters of a layer normalisation.
struct LayerNorm {
  at::Tensor weight;  // [D] float32
  at::Tensor bias;    // [D] float32
};

// What ESMFold's layers add to the variance.
inline constexpr double fold_norm_eps = 1e-5;

// (x - mean) / sqrt(variance + fold_norm_eps) * weight + bias over the last dimension, by ATen; x and result [..., D].
[[nodiscard]] at::Tensor normalize(const at::Tensor& x, const LayerNorm& norm);

// residual += update, then returns (residual - mean) / sqrt(variance + eps) * weight + bias, over the last dimension,
// as `type`, float32 or bfloat16. Reductions in float32.
// residual [T, D] float32, changed in place; update [T, D] float32 or bfloat16, or undefined; weight, bias [D] float32.
[[nodiscard]] at::Tensor add_layer_norm(at::Tensor& residual, const at::Tensor& update, const at::Tensor& weight,
                                        const at::Tensor& bias, double eps, at::ScalarType type);

[[nodiscard]] at::Tensor add_layer_norm_reference(at::Tensor& residual, const at::Tensor& update,
                                                  const at::Tensor& weight, const at::Tensor& bias, double eps,
                                                  at::ScalarType type);

}  // namespace pleat
