// Residual connection and layer normalisation by the kernel beside this file.
#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>

#include "cuda/ops.h"
#include "ops/cuda/tensors.h"
#include "ops/layer_norm/kernels.h"

namespace pleat::cuda {

at::Tensor add_layer_norm(at::Tensor& residual, const at::Tensor& update, const LayerNorm& norm, double eps,
                          at::ScalarType type) {
  const std::int64_t width = residual.size(-1);
  const bool in_float32 = type == at::kFloat && width == add_norm::float32_width;
  const bool types_suit =
      (is_half(type) || in_float32) && (!update.defined() || (update.scalar_type() == type && update.is_contiguous()));
  if (!types_suit || !residual.is_contiguous()) return {};
  if (!uses_kernels("add_norm", in_float32 || add_norm::suits(width), true)) return {};
  const c10::DeviceGuard guard(residual.device());
  const LayerNorm parameters = contiguous(norm);
  const at::Tensor out = at::empty(residual.sizes(), residual.options().dtype(type));
  const auto* const d_update = update.defined() ? update.const_data_ptr() : nullptr;
  auto* const d_residual = residual.mutable_data_ptr<float>();
  const auto epsilon = static_cast<float>(eps);
  const std::int64_t rows = residual.numel() / width;
  const cudaStream_t stream = stream_of(residual);
  check_launch(
      in_float32
          ? add_norm::apply_float32(d_residual, static_cast<const float*>(d_update), pointers_of(parameters), epsilon,
                                    out.mutable_data_ptr<float>(), rows, width, stream)
          : add_norm::apply(d_residual, static_cast<const std::uint16_t*>(d_update), pointers_of(parameters), epsilon,
                            static_cast<std::uint16_t*>(out.mutable_data_ptr()), half_of(type), rows, width, stream),
      "add_norm");
  return out;
}

}  // namespace pleat::cuda
