// What the operations' CUDA ways share between LibTorch's tensors and the kernels.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "ops/cuda/launch.h"
#include "ops/cuda/packing.h"
#include "ops/layer_norm/layer_norm.h"

namespace pleat::cuda {

[[nodiscard]] Gpu gpu_of(const at::Tensor& x);
[[nodiscard]] cudaStream_t stream_of(const at::Tensor& x);
// Throws what CUDA says of a launch.
void check_launch(cudaError_t status, const char* kernel);

// Whether our kernels for `operation` are to be used. Where `shape_suits` or `gpu_suits` is false, or
// PLEAT_CUDA_WITHOUT names the operation (several between commas; "all"), ATen's way is, and a line for the log says
// so.
[[nodiscard]] bool uses_kernels(const std::string& operation, bool shape_suits, bool gpu_suits);
// Those lines, each once, and forgets them.
[[nodiscard]] std::vector<std::string> take_notes();

[[nodiscard]] inline bool is_half(at::ScalarType type) { return type == at::kBFloat16 || type == at::kHalf; }
[[nodiscard]] inline Half half_of(at::ScalarType type) {
  return type == at::kBFloat16 ? Half::bfloat16 : Half::float16;
}

// Weights for kernels: bfloat16, contiguous.
[[nodiscard]] at::Tensor as_operand(const at::Tensor& weight);
// The same, laid out as the pair operations' kernels want it, in one dimension.
[[nodiscard]] at::Tensor packed_operand(const at::Tensor& weight, const Packing& packing);
[[nodiscard]] inline const bf16* operand_data(const at::Tensor& x) {
  return static_cast<const bf16*>(x.const_data_ptr());
}
[[nodiscard]] inline bf16* mutable_operand_data(const at::Tensor& x) {
  return static_cast<bf16*>(x.mutable_data_ptr());
}
[[nodiscard]] inline NormPointers pointers_of(const LayerNorm& norm) {
  return {norm.weight.const_data_ptr<float>(), norm.bias.const_data_ptr<float>()};
}
[[nodiscard]] inline LayerNorm contiguous(const LayerNorm& norm) {
  return {norm.weight.contiguous(), norm.bias.contiguous()};
}

}  // namespace pleat::cuda
