// What the sequence state adds to a pair representation of 128 channels, on a GPU; operands bf16, sums float32.
#pragma once

#include "ops/cuda/launch.h"

namespace pleat::cuda::sequence_to_pair {

constexpr int most_width = 128;

struct Weights {
  const bf16* out;  // [128, 2 width], packed with spread rows and columns
  const float* out_bias;
  int width;  // of q and of k: 64 or 128
};

// Whether the kernel can run: compute capability 8.0 and 65 KB of shared memory for a block.
[[nodiscard]] bool suits(const Gpu& gpu);

// z[i, j] += out([q_j * k_i, q_j - k_i]), qk [L, 2 width] float32, z [L, L, 128] float32
cudaError_t add(const float* qk, float* z, const Weights& weights, int length, const Gpu& gpu, cudaStream_t stream);

}  // namespace pleat::cuda::sequence_to_pair
