#include "ops/pair_bias/pair_bias.h"

#include <ATen/ATen.h>

#include "ops/device_ops.h"
#include "ops/general.h"
#include "ops/pair_tasks.h"
#include "tensor/device.h"

namespace pleat {

at::Tensor pair_bias_reference(const at::Tensor& z, const LayerNorm& norm, const at::Tensor& weight, bool transposed) {
  const at::Tensor y = normalize(z, norm);        // [L, L, C]
  const at::Tensor bias = at::linear(y, weight);  // [L, L, H]
  return transposed ? bias.permute({2, 1, 0}) : bias.permute({2, 0, 1});
}

void write_pair_bias(const at::Tensor& z, const LayerNorm& norm, const at::Tensor& weight, bool transposed,
                     float* bias) {
  const std::int64_t length = z.size(0);
  const cpu::Kernels& kernels = cpu::kernels();
  for_each_run(z, transposed, [&](std::int64_t line, std::int64_t r, const cpu::Run& run, cpu::PairScratch& scratch) {
    kernels.pair_bias(run, z.size(2), norm_of(norm), weight.const_data_ptr<float>(), weight.size(0),
                      bias + line * length + r, length * length, scratch);
  });
}

PairBias::PairBias(LayerNorm norm, at::Tensor weight, at::ScalarType operands)
    : norm_(std::move(norm)), weight_(std::move(weight)) {
  if (on_processor(weight_)) return;
  const auto make = device_ops(weight_).pair_bias;
  if (operands == at::kBFloat16 && make != nullptr) own_ = make(norm_, weight_);
}

at::Tensor PairBias::operator()(const at::Tensor& z) const { return own_ ? own_(z) : pair_bias(z, norm_, weight_); }

at::Tensor pair_bias(const at::Tensor& z, const LayerNorm& norm, const at::Tensor& weight, bool transposed) {
  if (!on_processor(z)) return general::pair_bias(z, norm, weight, transposed);
  at::Tensor bias = at::empty({weight.size(0), z.size(0), z.size(0)}, z.options());
  write_pair_bias(z, norm, weight.contiguous(), transposed, bias.mutable_data_ptr<float>());
  return bias;
}

}  // namespace pleat
