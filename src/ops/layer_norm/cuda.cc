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
  const bool types_suit =
      is_half(type) && (!update.defined() || (update.scalar_type() == type && update.is_contiguous()));
  if (!types_suit || !residual.is_contiguous()) return {};
  if (!uses_kernels("add_norm", add_norm::suits(width), true)) return {};
  const c10::DeviceGuard guard(residual.device());
  const LayerNorm parameters = contiguous(norm);
  at::Tensor out = at::empty(residual.sizes(), residual.options().dtype(type));
  check_launch(add_norm::apply(residual.mutable_data_ptr<float>(),
                               update.defined() ? static_cast<const std::uint16_t*>(update.const_data_ptr()) : nullptr,
                               pointers_of(parameters), static_cast<float>(eps),
                               static_cast<std::uint16_t*>(out.mutable_data_ptr()), half_of(type),
                               residual.numel() / width, width, stream_of(residual)),
               "add_norm");
  return out;
}

}  // namespace pleat::cuda
