// Products of bfloat16 matrices by tiles, and how operands are laid out for them; see tile_blocks.h for tiles, steps
// and blocks. Included by the source files that are compiled for AMX, and for plain arithmetic in its place.
//
// A left operand [rows, depth] lies in blocks of 32 rows, each the steps of its depth one after the other; a right
// operand [depth, columns] in panels of 32 columns, likewise. Both are filled up with zeros to whole steps; a right
// operand also to whole panels, while a left one's missing rows may hold anything, since nobody reads what they give.
#pragma once

#include "ops/cpu/runs.h"
#include "ops/cpu/scratch.h"
#include "ops/cpu/tile_blocks.h"

namespace pleat::cpu {
namespace {

#ifdef __AMX_BF16__
using Blocks = TileBlocks<AmxTiles>;
#else
using Blocks = TileBlocks<PlainTiles>;
#endif

// For as long as products by tiles are computed, see AmxTiles::begin().
class TilesInUse {
 public:
  TilesInUse() { Blocks::begin(); }
  ~TilesInUse() { Blocks::end(); }
  TilesInUse(const TilesInUse&) = delete;
  TilesInUse& operator=(const TilesInUse&) = delete;
  TilesInUse(TilesInUse&&) = delete;
  TilesInUse& operator=(TilesInUse&&) = delete;
};

inline std::int64_t steps_of(std::int64_t depth) { return (depth + step_depth - 1) / step_depth; }

inline std::uint16_t* need_halves(Scratch& scratch, std::int64_t count) {
  return reinterpret_cast<std::uint16_t*>(scratch.need((count + 1) / 2));
}

inline void narrow_row(const float* from, std::int64_t count, std::uint16_t* to) {
  for (std::int64_t i = 0; i < count; ++i) narrow(from[i], to + i);
}

inline void narrow_lanes(Vector v, std::uint16_t* to) {
  float lanes[W];
  store(lanes, v);
  narrow_row(lanes, W, to);
}

// Where a left operand of `steps` steps holds a row's number at this depth. Those of one step lie together.
inline std::uint16_t* left_place(std::uint16_t* left, std::int64_t steps, std::int64_t row, std::int64_t depth) {
  return left + (row / block_side * steps + depth / step_depth) * step_halves + row % block_side / 16 * tile_halves +
         row % 16 * step_depth + depth % step_depth;
}

inline std::int64_t left_size(std::int64_t rows, std::int64_t steps) {
  return round_up(rows, block_side) * steps * step_depth;
}

// One row of a left operand, from floats.
inline void fill_left_row(const float* from, std::int64_t depth, std::uint16_t* left, std::int64_t steps,
                          std::int64_t row) {
  for (std::int64_t first = 0; first < depth; first += step_depth) {
    const std::int64_t count = std::min(step_depth, depth - first);
    std::uint16_t* const to = left_place(left, steps, row, first);
    narrow_row(from + first, count, to);
    std::fill_n(to + count, step_depth - count, 0);
  }
}

// rows [rows, depth] floats -> a left operand.
inline std::uint16_t* pack_left(const float* from, std::int64_t rows, std::int64_t depth, Scratch& scratch) {
  const std::int64_t steps = steps_of(depth);
  std::uint16_t* const left = need_halves(scratch, left_size(rows, steps));
  for (std::int64_t r = 0; r < rows; ++r) fill_left_row(from + r * depth, depth, left, steps, r);
  return left;
}

// A right operand's panel from 32 rows of its transpose, [32, steps * 32], their numbers beside each other.
inline void pack_right_panel(const std::uint16_t* rows, std::int64_t row_stride, std::int64_t steps,
                             std::uint16_t* panel) {
  // Two depths are one word, so that it is words that are transposed.
  const auto words = [](auto* halves) {
    return reinterpret_cast<
        std::conditional_t<std::is_const_v<std::remove_pointer_t<decltype(halves)>>, const float*, float*>>(halves);
  };
  for (std::int64_t tile = 0; tile < 2 * steps; ++tile) {
    const float* const from = words(rows + tile % 2 * 16 * row_stride + tile / 2 * step_depth);
    float* const to = words(panel + tile * tile_halves);
    for (std::int64_t r = 0; r < 16; r += W) {
      for (std::int64_t c = 0; c < 16; c += W) {
        transpose_block(from + r * row_stride / 2 + c, row_stride / 2, to + c * 16 + r, 16);
      }
    }
  }
}

// Two rows of a right operand's panel of `steps` steps, at an even depth and the one after it, from 32 floats each.
inline void pack_right_pair(const float* even, const float* odd, std::uint16_t* panel, std::int64_t depth) {
  std::uint16_t* const to = panel + depth / step_depth * step_halves + depth % step_depth / 2 * step_depth;
  for (std::int64_t c = 0; c < block_side; ++c) {
    std::uint16_t* const pair = to + c / 16 * tile_halves + c % 16 * 2;
    narrow(even[c], pair);
    narrow(odd[c], pair + 1);
  }
}

// finish(row, column, sum) of left * right, for whole registers at `column`.
template <class Finish>
inline void multiply_tiles(const std::uint16_t* left, std::int64_t rows, const std::uint16_t* right,
                           std::int64_t columns, std::int64_t steps, const Finish& finish) {
  alignas(64) float sums[block_floats];
  for (std::int64_t column = 0; column < columns; column += block_side) {
    for (std::int64_t row = 0; row < rows; row += block_side) {
      Blocks::multiply(steps, rows - row > 16 ? 2 : 1, left + row * steps * step_depth,
                       right + column * steps * step_depth, sums, true);
      for (std::int64_t r = 0; r < std::min(block_side, rows - row); ++r) {
        for (std::int64_t c = 0; c < std::min(block_side, columns - column); c += W) {
          finish(row + r, column + c, load(sums + r / 16 * 512 + c / 16 * 256 + r % 16 * 16 + c % 16));
        }
      }
    }
  }
}

// A few queries of one head, at most a block of them, against all keys; see attend.h.
//   queries: left [count, head_dim]; keys: right [head_dim, length]; values: right [length, head_dim]
//   scores(r, column, sum) -> the score of a sum, as a power of two; write(r, c, sum): out[r, c], not yet divided
// Leaves the softmax's numerators in `numerators` [count, round_up(length, 32)] and 1 / their sums in `inverse`.
template <class Score, class Write>
inline void attend_tiles(const std::uint16_t* queries, const std::uint16_t* keys, const std::uint16_t* values,
                         std::int64_t length, std::int64_t head_dim, std::int64_t count, float* numerators,
                         float* inverse, Scratch& probabilities, const Score& score, const Write& write) {
  const std::int64_t padded = round_up(length, step_depth);
  multiply_tiles(queries, count, keys, padded, steps_of(head_dim), [&](std::int64_t r, std::int64_t c, Vector sum) {
    store(numerators + r * padded + c, score(r, c, sum));
  });
  std::uint16_t* const left = need_halves(probabilities, left_size(count, steps_of(length)));
  exp2_rows(numerators, count, length, padded, inverse);
  for (std::int64_t r = 0; r < count; ++r) {
    fill_left_row(numerators + r * padded, padded, left, steps_of(length), r);
  }
  multiply_tiles(left, count, values, head_dim, steps_of(length), write);
}

}  // namespace
}  // namespace pleat::cpu
