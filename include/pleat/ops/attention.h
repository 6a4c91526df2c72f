// Self-attention over packed sequences: each token attends to its own sequence and to nothing else.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace pleat {

// The angles of rotary position embedding (RoFormer, Su et al. 2021), computed as the reference does, in float32.
struct RotaryTable {
  at::Tensor cos;  // [positions, head_dim / 2] float32
  at::Tensor sin;

  // frequencies [head_dim / 2] float32
  [[nodiscard]] static RotaryTable make(std::int64_t positions, const at::Tensor& frequencies);
  // 10000^(-2i / head_dim), [head_dim / 2] float32
  [[nodiscard]] static at::Tensor frequencies(std::int64_t head_dim);
};

// What attention needs of a batch. `cu_seqlens` [B+1] as in PackedBatch.
struct AttentionInput {
  at::Tensor qkv;  // [T, 3, H, Dh] float32 or bfloat16, contiguous; queries neither scaled nor rotated yet
  const std::vector<std::int64_t>* cu_seqlens = nullptr;
  const RotaryTable* rotary = nullptr;  // with at least as many positions as the longest sequence
};

// softmax(rot(q / sqrt(Dh)) rot(k)^T) v -> [T, H * Dh] in the type of qkv, arithmetic in float32. Rows of T that belong
// to no sequence are zero.
[[nodiscard]] at::Tensor attention(const AttentionInput& input);
[[nodiscard]] at::Tensor attention_reference(const AttentionInput& input);

}  // namespace pleat
