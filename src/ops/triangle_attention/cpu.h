// One row or column of triangular attention on the processor, in float32 or by tiles of bfloat16.
#pragma once

#include <cstdint>

#include "ops/cpu/pair.h"

namespace pleat::cpu {

template <class Number>
struct TriangleAttentionRowOf {
  std::int64_t channels = 0;  // C
  std::int64_t heads = 0;
  std::int64_t head_dim = 0;
  Norm norm;
  const Number* gate = nullptr;  // [C, C]
  const float* gate_bias = nullptr;
  const Number* out = nullptr;  // [C, C]
  const float* out_bias = nullptr;
  const float* bias = nullptr;  // [heads, L, bias_stride], to a power of two as well
  std::int64_t bias_stride = 0;
  float* z = nullptr;  // the row's or column's first pair
  std::int64_t stride = 0;
  std::int64_t length = 0;  // L
};

// Weights in panels.
struct TriangleAttentionRow : TriangleAttentionRowOf<float> {
  const float* query_value = nullptr;  // per head panels [C, 2 * padded_head_dim]: queries, scaled, then
                                       // values; scores are powers of two
  const float* key = nullptr;          // [C, C], in rows
};

// Weights as right operands of tiles.
struct TileTriangleAttentionRow : TriangleAttentionRowOf<std::uint16_t> {
  // Per head [C, 3 * round_up(head_dim, 32)]: queries, scaled, then keys, then values; scores are powers of two.
  const std::uint16_t* query_key_value = nullptr;
};

}  // namespace pleat::cpu
