// What the sequence state adds to a pair representation, by the kernel beside this file.
#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>

#include "cuda/ops.h"
#include "ops/cuda/tensors.h"
#include "ops/sequence_to_pair/kernels.h"

namespace pleat::cuda {

std::function<void(at::Tensor& z, const at::Tensor& qk)> make_sequence_to_pair(const SequenceToPairWeights& weights) {
  namespace kernels = sequence_to_pair;
  const Gpu gpu = gpu_of(weights.out.weight);
  const std::int64_t width = weights.out.weight.size(1) / 2;
  const bool shape_suits = weights.out.weight.size(0) == 128 && (width == 64 || width == 128);
  if (!uses_kernels("sequence_to_pair", shape_suits, kernels::suits(gpu))) return {};
  const at::Tensor out = packed_operand(weights.out.weight, {.spread_rows = true, .spread_columns = true});
  const at::Tensor bias = weights.out.bias.contiguous();
  return [=](at::Tensor& z, const at::Tensor& qk) {
    TORCH_CHECK(z.is_contiguous() && qk.is_contiguous(), "a pair or sequence state that is not contiguous");
    const c10::DeviceGuard guard(z.device());
    const kernels::Weights w{operand_data(out), bias.const_data_ptr<float>(), static_cast<int>(width)};
    check_launch(kernels::add(qk.const_data_ptr<float>(), z.mutable_data_ptr<float>(), w, static_cast<int>(z.size(0)),
                              gpu, stream_of(z)),
                 "sequence_to_pair");
  };
}

}  // namespace pleat::cuda
