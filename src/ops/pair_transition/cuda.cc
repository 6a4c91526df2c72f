// The transition of a pair representation by the kernel beside this file.
#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>

#include <limits>

#include "cuda/ops.h"
#include "ops/cuda/tensors.h"
#include "ops/pair_transition/kernels.h"

namespace pleat::cuda {

namespace {

using Kernel = decltype(&pair_transition::transition);

// "wgmma" in PLEAT_CUDA_WITHOUT takes the one that every GPU runs.
Kernel kernel_for([[maybe_unused]] const Gpu& gpu) {
#ifdef PLEAT_CUDA_WGMMA
  if (pair_transition::suits_wgmma(gpu) && uses_kernels("wgmma", true, true)) return pair_transition::transition_wgmma;
#endif
  return pair_transition::transition;
}

}  // namespace

PairUpdate make_pair_transition(const PairTransitionWeights& weights) {
  namespace kernels = pair_transition;
  const Gpu gpu = gpu_of(weights.in.weight);
  const bool shape_suits = weights.in.weight.sizes() == at::IntArrayRef{kernels::hidden_channels, 128};
  if (!uses_kernels("pair_transition", shape_suits, kernels::suits(gpu))) return {};
  const Kernel kernel = kernel_for(gpu);
  const LayerNorm norm = contiguous(weights.norm);
  const at::Tensor in = packed_operand(weights.in.weight, {.spread_columns = true});
  const at::Tensor out = packed_operand(weights.out.weight, {.spread_rows = true, .slice = 64});
  const at::Tensor in_bias = weights.in.bias.contiguous();
  const at::Tensor out_bias = weights.out.bias.contiguous();
  return [=](at::Tensor& z) {
    const std::int64_t pairs = z.size(0) * z.size(1);
    TORCH_CHECK(z.is_contiguous() && pairs <= std::numeric_limits<int>::max() / 2, "the transition of a pair state ",
                z.sizes());
    const c10::DeviceGuard guard(z.device());
    const kernels::Weights w{pointers_of(norm), operand_data(in), in_bias.const_data_ptr<float>(), operand_data(out),
                             out_bias.const_data_ptr<float>()};
    check_launch(kernel(z.mutable_data_ptr<float>(), w, static_cast<int>(pairs), gpu, stream_of(z)), "pair_transition");
  };
}

}  // namespace pleat::cuda
