// The bias of the sequence's attention, by the kernel beside this file.
#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>

#include "cuda/ops.h"
#include "ops/cuda/tensors.h"
#include "ops/pair_bias/kernels.h"

namespace pleat::cuda {

std::function<at::Tensor(const at::Tensor& z)> make_pair_bias(const LayerNorm& given_norm, const at::Tensor& weight) {
  namespace kernels = pair_bias;
  const Gpu gpu = gpu_of(weight);
  const std::int64_t heads = weight.size(0);
  const bool shape_suits = weight.size(1) == 128 && (heads == 4 || heads == 32);
  if (!uses_kernels("pair_bias", shape_suits, kernels::suits(gpu))) return {};
  const LayerNorm norm = contiguous(given_norm);
  const at::Tensor operand = packed_operand(weight, {.spread_columns = true});
  return [=](const at::Tensor& z) {
    TORCH_CHECK(z.is_contiguous(), "a pair state that is not contiguous");
    const c10::DeviceGuard guard(z.device());
    const int length = static_cast<int>(z.size(0));
    const at::Tensor bias = at::empty({heads, length, kernels::stride_of(length)}, z.options());  // [H, L, stride]
    const kernels::Weights w{pointers_of(norm), operand_data(operand), static_cast<int>(heads)};
    check_launch(kernels::bias(z.const_data_ptr<float>(), w, bias.mutable_data_ptr<float>(), length, gpu, stream_of(z)),
                 "pair_bias");
    return bias.slice(2, 0, length);
  };
}

}  // namespace pleat::cuda
