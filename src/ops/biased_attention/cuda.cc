// Attention over the sequence by the kernel beside this file.
#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>

#include "cuda/ops.h"
#include "ops/biased_attention/kernels.h"
#include "ops/cuda/tensors.h"

namespace pleat::cuda {

at::Tensor biased_attention(const at::Tensor& qkv, const at::Tensor& bias, const at::Tensor& gate) {
  namespace kernels = biased;
  const bool suits = qkv.scalar_type() == at::kBFloat16 && qkv.size(3) == kernels::head_dim && qkv.is_contiguous() &&
                     bias.stride(2) == 1 &&
                     (!gate.defined() || (gate.scalar_type() == at::kBFloat16 && gate.is_contiguous()));
  if (!uses_kernels("biased_attention", suits, kernels::suits(gpu_of(qkv)))) return {};
  const c10::DeviceGuard guard(qkv.device());
  const at::Tensor out = at::empty({qkv.size(0), qkv.size(1) * qkv.size(3)}, qkv.options());  // [L, H * Dh]
  check_launch(kernels::attend({.qkv = operand_data(qkv),
                                .bias = bias.const_data_ptr<float>(),
                                .bias_row = bias.stride(1),
                                .bias_head = bias.stride(0),
                                .gate = gate.defined() ? operand_data(gate) : nullptr,
                                .out = mutable_operand_data(out),
                                .heads = static_cast<int>(qkv.size(1)),
                                .length = static_cast<int>(qkv.size(0))},
                               stream_of(qkv)),
               "biased_attention");
  return out;
}

}  // namespace pleat::cuda
