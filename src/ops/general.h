// The operations by ATen's general ones, on any device and in bounded memory: beside the pair state only tensors over
// two positions exist, and pairs are worked on in blocks of whole rows. What a device does for which nobody has written
// kernels. Blocks depend on the sequence's length alone.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "ops/attention/attention.h"
#include "ops/biased_attention/biased_attention.h"
#include "ops/pair_transition/pair_transition.h"
#include "ops/point_attention/point_attention.h"
#include "ops/sequence_to_pair/sequence_to_pair.h"
#include "ops/triangle_attention/triangle_attention.h"
#include "ops/triangle_multiplication/triangle_multiplication.h"

namespace pleat::general {

// Elements of the largest temporary tensor of a block; a few of them exist at a time.
inline constexpr std::int64_t usual_block = std::int64_t{1} << 24;

// Queries and keys, rotated: [T, 2, H, Dh] in the type of qkv, arithmetic in float32. The input must have `places`.
[[nodiscard]] at::Tensor rotated(const AttentionInput& input);
[[nodiscard]] at::Tensor attention(const AttentionInput& input);
// One sequence's attention maps, heads [first, first + count), from what rotated() gives: [count, L, L] float32.
[[nodiscard]] at::Tensor attention_maps(const at::Tensor& rotated, std::int64_t begin, std::int64_t end,
                                        std::int64_t first, std::int64_t count);

[[nodiscard]] at::Tensor pair_bias(const at::Tensor& z, const LayerNorm& norm, const at::Tensor& weight,
                                   bool transposed, std::int64_t block = usual_block);
[[nodiscard]] at::Tensor biased_attention(const at::Tensor& qkv, const at::Tensor& bias);
void pair_transition(at::Tensor& z, const PairTransitionWeights& weights, std::int64_t block = usual_block);
void sequence_to_pair(at::Tensor& z, const at::Tensor& qk, const SequenceToPairWeights& weights,
                      std::int64_t block = usual_block);
void triangle_multiplication(at::Tensor& z, const TriangleMultiplicationWeights& weights, Triangle triangle,
                             std::int64_t chunk_size, std::int64_t block = usual_block);
void triangle_attention(at::Tensor& z, const TriangleAttentionWeights& weights, Node node,
                        std::int64_t block = usual_block);
[[nodiscard]] PointAttentionOutput point_attention(const PointAttentionInput& input, std::int64_t block = usual_block);

}  // namespace pleat::general
