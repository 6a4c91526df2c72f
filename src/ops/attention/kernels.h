// Rotary position embedding on a GPU, in place.
#pragma once

#include "ops/cuda/launch.h"

namespace pleat::cuda::rotary {

// qkv [T, 3, H, Dh]: queries and keys rotated, values untouched; cos, sin [T, Dh / 2]. Each product and each sum is
// rounded by itself, in float32, and the result to `type`: the bits of ATen's separate operations.
// Dh 16, 24, 32, 64 or 128, else cudaErrorInvalidValue.
cudaError_t rotate(std::uint16_t* qkv, Half type, const float* cos, const float* sin, std::int64_t tokens, int heads,
                   int head_dim, cudaStream_t stream);

}  // namespace pleat::cuda::rotary
