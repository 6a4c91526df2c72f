// The bias that a pair representation of 128 channels gives to scores, on a GPU; operands bf16, sums float32.
#pragma once

#include "ops/cuda/launch.h"

namespace pleat::cuda::pair_bias {

struct Weights {
  NormPointers norm;
  const bf16* bias;  // [heads, 128], packed with spread columns
  int heads;         // 4 or 32
};

inline int stride_of(int length) { return (length + 7) / 8 * 8; }

// Whether the kernel can run: compute capability 8.0.
[[nodiscard]] bool suits(const Gpu& gpu);

// z [L, L, 128] float32 -> norm(z) . weight, [heads, L, stride] float32; columns from L on are zero.
cudaError_t bias(const float* z, const Weights& weights, float* out, int length, const Gpu& gpu, cudaStream_t stream);

}  // namespace pleat::cuda::pair_bias
