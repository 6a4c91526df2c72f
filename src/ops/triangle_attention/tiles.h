// One row or column of triangular attention by tiles.
#pragma once

#include <cstdint>

#include "ops/cpu/pair.h"

namespace pleat::cpu {

struct TileTriangleAttentionRow {
  std::int64_t channels = 0;  // C
  std::int64_t heads = 0;
  std::int64_t head_dim = 0;
  Norm norm;
  // Per head a right operand [C, 3 * round_up(head_dim, 32)]: queries, scaled, then keys, then values; scores are
  // powers of two.
  const std::uint16_t* query_key_value = nullptr;
  const std::uint16_t* gate = nullptr;  // right operand [C, C]
  const float* gate_bias = nullptr;
  const std::uint16_t* out = nullptr;  // right operand [C, C]
  const float* out_bias = nullptr;
  const float* bias = nullptr;  // [heads, L, bias_stride], to a power of two as well
  std::int64_t bias_stride = 0;
  float* z = nullptr;  // the row's or column's first pair
  std::int64_t stride = 0;
  std::int64_t length = 0;  // L
};

}  // namespace pleat::cpu
