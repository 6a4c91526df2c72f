// Attention of a few queries with a bias, in registers: shared by triangular attention and by that over a sequence.
#pragma once

#include "ops/cpu/runs.h"

namespace pleat::cpu {
namespace {

// Queries whose scores are held at a time.
constexpr std::int64_t query_rows = 24;

// keys, values and queries of one head against each other: out[q, c] for queries [first, first + count) -> write(q, c,
// ..). Scores are powers of two: whoever gives queries and bias(q, column) has multiplied them by log2_e.
template <class Bias, class Write>
inline void attend_queries(const float* queries, std::int64_t query_stride, const float* keys, const float* values,
                           std::int64_t value_stride, const Bias& bias, std::int64_t head_dim, std::int64_t length,
                           std::int64_t count, float* scores, const Write& write) {
  const std::int64_t padded = round_up(length, W);
  multiply(count, length, head_dim, queries, query_stride, 1, keys, bias,
           [&](std::int64_t r, std::int64_t c, Vector sum) { store(scores + r * padded + c, sum); });
  float inverse[query_rows];
  exp2_rows(scores, count, length, padded, inverse);
  for_column_blocks(head_dim, [&](auto V, std::int64_t column) {
    for_row_blocks(count, [&](auto M, std::int64_t row) {
      multiply_tile<M(), V()>(
          length, scores + row * padded, padded, 1, values + column, value_stride, from_zero,
          [&](std::int64_t m, std::int64_t v, Vector sum) { write(row + m, column + v * W, sum * inverse[row + m]); });
    });
  });
}

}  // namespace
}  // namespace pleat::cpu
