#include "ops/layer_norm/layer_norm.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "ops/cpu/kernels.h"
#include "ops/device_ops.h"
#include "ops/element.h"
#include "tensor/device.h"

namespace pleat {

at::Tensor normalize(const at::Tensor& x, const LayerNorm& norm) {
  return at::layer_norm(x, {x.size(-1)}, norm.weight, norm.bias, fold_norm_eps);
}

at::Tensor add_layer_norm_reference(at::Tensor& residual, const at::Tensor& update, const at::Tensor& weight,
                                    const at::Tensor& bias, double eps, at::ScalarType type) {
  if (update.defined()) residual += update;  // [T, D]
  return at::layer_norm(residual, {residual.size(-1)}, weight, bias, eps).to(type);
}

at::Tensor add_layer_norm(at::Tensor& residual, const at::Tensor& update, const at::Tensor& weight,
                          const at::Tensor& bias, double eps, at::ScalarType type) {
  if (!on_processor(residual)) {
    const auto own = device_ops(residual).add_layer_norm;
    const at::Tensor out = own != nullptr ? own(residual, update, {weight, bias}, eps, type) : at::Tensor();
    return out.defined() ? out : add_layer_norm_reference(residual, update, weight, bias, eps, type);
  }
  const std::int64_t width = residual.size(1);
  at::Tensor out = at::empty(residual.sizes(), residual.options().dtype(type));  // [T, D]
  auto* const h_residual = residual.mutable_data_ptr<float>();
  const auto* const h_update = update.defined() ? static_cast<const char*>(update.const_data_ptr()) : nullptr;
  auto* const h_out = static_cast<char*>(out.mutable_data_ptr());
  const std::int64_t update_bytes = update.defined() ? width * update.element_size() : 0;
  const std::int64_t out_bytes = width * out.element_size();
  const auto update_element = update.defined() ? element_of(update) : cpu::Element::float32;
  const cpu::Kernels& kernels = cpu::kernels();
  at::parallel_for(0, residual.size(0), 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      kernels.add_layer_norm(h_residual + row * width, h_update != nullptr ? h_update + row * update_bytes : nullptr,
                             update_element, weight.const_data_ptr<float>(), bias.const_data_ptr<float>(),
                             static_cast<float>(eps), width, h_out + row * out_bytes, element_of(out));
    }
  });
  return out;
}

}  // namespace pleat
