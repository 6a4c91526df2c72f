#include "ops/pair_tasks.h"

#include <ATen/ATen.h>

#include "ops/pair_workspace.h"
#include "tensor/device.h"

namespace pleat {

at::Tensor panels_of(const at::Tensor& weight) {
  if (!on_processor(weight)) return {};
  const at::Tensor rows = weight.to(at::kFloat).contiguous();  // [out, in]
  at::Tensor panels = at::empty({cpu::panel_floats(rows.size(1), rows.size(0))});
  cpu::pack_panels(rows.const_data_ptr<float>(), rows.size(1), rows.size(0), panels.mutable_data_ptr<float>());
  return panels;
}

at::Tensor padded_bias(const at::Tensor& bias, std::int64_t out) {
  if (bias.defined() && !on_processor(bias)) return bias;
  at::Tensor padded = at::zeros({(out + cpu::run_length - 1) / cpu::run_length * cpu::run_length});
  if (bias.defined()) padded.slice(0, 0, out).copy_(bias);
  return padded;
}

std::int64_t plane_stride(std::int64_t length) {
  const std::int64_t whole = (length + 15) / 16 * 16;
  return whole % 128 == 0 ? whole + 16 : whole;
}

float* PairWorkspace::need(int slot, std::int64_t floats) {
  at::Tensor& buffer = buffers_.at(static_cast<std::size_t>(slot));
  if (!buffer.defined() || buffer.numel() < floats) {
    buffer.reset();  // before the larger one is taken
    buffer = at::empty({floats});
  }
  return buffer.mutable_data_ptr<float>();
}

}  // namespace pleat
