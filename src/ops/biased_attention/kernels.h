// Attention with a bias for each pair on a GPU, heads of 32, operands bf16, softmax and sums float32; the gate is
// applied to the result while it is in registers.
#pragma once

#include "ops/cuda/launch.h"

namespace pleat::cuda::biased {

constexpr int head_dim = 32;

struct Operands {
  const bf16* qkv;         // [L, H, 3, head_dim]: query, key, value
  const float* bias;       // [H, L, L]
  std::int64_t bias_row;   // numbers from one row of the bias to the next, and
  std::int64_t bias_head;  // from one head to the next
  const bf16* gate;        // [L, H head_dim], before its sigmoid; or null
  bf16* out;               // [L, H head_dim]
  int heads;
  int length;
};

// Whether the kernel can run: compute capability 8.0.
[[nodiscard]] bool suits(const Gpu& gpu);

// out = softmax(q k / sqrt(head_dim) + bias) v, times sigmoid(gate).
cudaError_t attend(const Operands& operands, cudaStream_t stream);

}  // namespace pleat::cuda::biased
