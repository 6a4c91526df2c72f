// The transition of a pair representation on a GPU: 128 to 512 to 128 channels, operands bf16, sums float32.
#pragma once

#include "ops/cuda/launch.h"

namespace pleat::cuda::pair_transition {

constexpr int hidden_channels = 512;

struct Weights {
  NormPointers norm;
  const bf16* in;  // [512, 128], packed with spread columns
  const float* in_bias;
  const bf16* out;  // [128, 512], packed with spread rows, in slices of 64 columns
  const float* out_bias;
};

// Whether the kernel can run: compute capability 8.0 and 68 KB of shared memory for a block.
[[nodiscard]] bool suits(const Gpu& gpu);

// z [pairs, 128] float32 += out(relu(in(norm(z)))); at most 2^31 - 1 pairs.
cudaError_t transition(float* z, const Weights& weights, int pairs, const Gpu& gpu, cudaStream_t stream);

// The same by wgmma, which only GPUs of compute capability 9.0 have. In builds for those.
[[nodiscard]] bool suits_wgmma(const Gpu& gpu);
cudaError_t transition_wgmma(float* z, const Weights& weights, int pairs, const Gpu& gpu, cudaStream_t stream);

}  // namespace pleat::cuda::pair_transition
