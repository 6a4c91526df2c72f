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

// The places of a packed batch's T tokens, as a device that is not the processor is told of them.
struct TokenPlaces {
  at::Tensor cu_seqlens;  // [B+1] int32
  at::Tensor cos;         // [T, 1, Dh / 2] float32, of each token's position in its sequence
  at::Tensor sin;

  [[nodiscard]] static TokenPlaces make(const std::vector<std::int64_t>& cu_seqlens, std::int64_t tokens,
                                        const RotaryTable& rotary, at::Device device);
};

// What attention needs of a batch. `cu_seqlens` [B+1] as in PackedBatch.
struct AttentionInput {
  // [T, 3, H, Dh], contiguous, float32 or bfloat16, elsewhere than on the processor also float16; queries neither
  // scaled nor rotated yet
  at::Tensor qkv;
  const std::vector<std::int64_t>* cu_seqlens = nullptr;
  const RotaryTable* rotary = nullptr;  // with at least as many positions as the longest sequence
  const TokenPlaces* places = nullptr;  // where qkv is not on the processor
  // Tokens whose rows are needed, rising; null: all. What the other rows hold is then left open.
  const std::vector<std::int64_t>* needed = nullptr;
};

// softmax(rot(q / sqrt(Dh)) rot(k)^T) v -> [T, H * Dh] in the type of qkv, arithmetic in float32. Rows of T that belong
// to no sequence are zero. Elsewhere than on the processor qkv may be changed.
[[nodiscard]] at::Tensor attention(const AttentionInput& input);
[[nodiscard]] at::Tensor attention_reference(const AttentionInput& input);
// The maps of one sequence, as many tokens to either side as it has: [H, tokens, tokens] float32.
[[nodiscard]] at::Tensor attention_maps_reference(const AttentionInput& input, std::int64_t sequence);

}  // namespace pleat
