// A residual connection and the layer normalisation after it on a GPU, in one pass over memory.
#pragma once

#include "ops/cuda/launch.h"

namespace pleat::cuda::add_norm {

// Whether there is a kernel for rows of this width: 320, 480, 640, 1024, 1280, 2560, 5120.
[[nodiscard]] bool suits(std::int64_t width);

// residual [T, width] float32 += update [T, width] of `type`, where it is not null; then
// out [T, width] of `type` = (residual - mean) / sqrt(variance + eps) * weight + bias. Statistics in float32.
cudaError_t apply(float* residual, const std::uint16_t* update, const NormPointers& norm, float eps, std::uint16_t* out,
                  Half type, std::int64_t tokens, std::int64_t width, cudaStream_t stream);

// The same all in float32, for rows of one width only: those of the structure module.
constexpr std::int64_t float32_width = 384;
cudaError_t apply_float32(float* residual, const float* update, const NormPointers& norm, float eps, float* out,
                          std::int64_t tokens, std::int64_t width, cudaStream_t stream);

}  // namespace pleat::cuda::add_norm
