// Products of small matrices, tile by tile in registers.
#pragma once

#include <type_traits>

#include "ops/cpu/vector.h"

namespace pleat::cpu {
namespace {

constexpr std::int64_t cache_line = 64 / sizeof(float);

// sum[m][v] = start(m, v) + a * b, then finish(m, v, sum). a is [M, depth] with any strides; b is [depth, V * W], its
// rows contiguous. Each element is one chain of multiply-adds in the order of depth, so it does not depend on the tile
// it is computed in. Where b comes from the second-level cache, its rows are better fetched `ahead` of their use.
template <std::int64_t M, std::int64_t V, std::int64_t ahead = 0, class Start, class Finish>
[[gnu::always_inline]] inline void multiply_tile(std::int64_t depth, const float* a, std::int64_t a_row,
                                                 std::int64_t a_depth, const float* b, std::int64_t b_depth,
                                                 const Start& start, const Finish& finish) {
  Vector sum[M][V];
#pragma GCC unroll 16
  for (std::int64_t m = 0; m < M; ++m) {
#pragma GCC unroll 16
    for (std::int64_t v = 0; v < V; ++v) sum[m][v] = start(m, v);
  }
  for (std::int64_t k = 0; k < depth; ++k) {
    Vector row[V];
#pragma GCC unroll 16
    for (std::int64_t v = 0; v < V; ++v) row[v] = load(b + k * b_depth + v * W);
    if constexpr (ahead > 0) {
#pragma GCC unroll 16
      for (std::int64_t c = 0; c < V * W; c += cache_line) __builtin_prefetch(b + (k + ahead) * b_depth + c);
    }
#pragma GCC unroll 16
    for (std::int64_t m = 0; m < M; ++m) {
      const Vector x = splat(a[m * a_row + k * a_depth]);
#pragma GCC unroll 16
      for (std::int64_t v = 0; v < V; ++v) sum[m][v] += x * row[v];
    }
  }
#pragma GCC unroll 16
  for (std::int64_t m = 0; m < M; ++m) {
#pragma GCC unroll 16
    for (std::int64_t v = 0; v < V; ++v) finish(m, v, sum[m][v]);
  }
}

constexpr auto from_zero = [](std::int64_t, std::int64_t) { return Vector{}; };

// Rows and registers of a tile in the products of the pair representation.
constexpr std::int64_t PM = PLEAT_PAIR_ROWS;
constexpr std::int64_t PV = PLEAT_PAIR_VECTORS;

// body(integral constant M, first row) over all rows.
template <class Body>
[[gnu::always_inline]] inline void for_row_blocks(std::int64_t rows, const Body& body) {
  std::int64_t row = 0;
  // Eight rows are better taken as 4 + 4 than as 6 + 2: small tiles wait for their own sums.
  for (; row + PM <= rows && rows - row != 8; row += PM) body(std::integral_constant<std::int64_t, PM>{}, row);
  if constexpr (PM > 4) {
    for (; row + 4 <= rows; row += 4) body(std::integral_constant<std::int64_t, 4>{}, row);
  } else {
    for (; row + PM <= rows; row += PM) body(std::integral_constant<std::int64_t, PM>{}, row);
  }
  for (; row + 2 <= rows; row += 2) body(std::integral_constant<std::int64_t, 2>{}, row);
  if (row < rows) body(std::integral_constant<std::int64_t, 1>{}, row);
}

// body(integral constant V, first column) over all columns, in whole registers.
template <class Body>
[[gnu::always_inline]] inline void for_column_blocks(std::int64_t columns, const Body& body) {
  static_assert(PV == 2 || PV == 4);
  std::int64_t column = 0;
  for (; column + (PV - 1) * W < columns; column += PV * W) body(std::integral_constant<std::int64_t, PV>{}, column);
  if constexpr (PV == 4) {
    if (column + W < columns) {
      body(std::integral_constant<std::int64_t, 2>{}, column);
      column += 2 * W;
    }
  }
  if (column < columns) body(std::integral_constant<std::int64_t, 1>{}, column);
}

// A matrix [depth, columns] in panels of `panel_width` columns, each [depth, panel_width] and filled up with zeros:
// what a product reads lies together.
constexpr std::int64_t panel_width = 64;

// finish(row, column, sum) of start(row, column) + a * b, for whole registers at `column`; b in panels.
template <class Start, class Finish>
[[gnu::always_inline]] inline void multiply(std::int64_t rows, std::int64_t columns, std::int64_t depth, const float* a,
                                            std::int64_t a_row, std::int64_t a_depth, const float* b,
                                            const Start& start, const Finish& finish) {
  for (std::int64_t panel = 0; panel < columns; panel += panel_width) {
    const float* const first = b + panel * depth;
    for_column_blocks(std::min(panel_width, columns - panel), [&](auto V, std::int64_t column) {
      for_row_blocks(rows, [&](auto M, std::int64_t row) {
        multiply_tile<M(), V()>(
            depth, a + row * a_row, a_row, a_depth, first + column, panel_width,
            [&](std::int64_t m, std::int64_t v) { return start(row + m, panel + column + v * W); },
            [&](std::int64_t m, std::int64_t v, Vector sum) { finish(row + m, panel + column + v * W, sum); });
      });
    });
  }
}

}  // namespace
}  // namespace pleat::cpu
