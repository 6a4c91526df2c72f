#include "ops/attention/rotate.h"
#include "ops/cpu/tile_operands.h"
#include "ops/cpu/tile_set.h"

namespace pleat::cpu {
namespace {

static_assert(attention_tile_rows == block_side);

using Half = std::uint16_t;

const Half* token_of(const void* first, const AttentionHead& head, std::int64_t token) {
  return static_cast<const Half*>(first) + token * head.row_stride;
}

// Keys, rotated: a right operand [head_dim, length].
void pack_keys(const AttentionHead& head, AttentionScratch& scratch) {
  const std::int64_t dim = head.head_dim;
  const std::int64_t steps = steps_of(dim);
  const std::int64_t width = steps * step_depth;
  Half* const keys = need_halves(scratch.k, round_up(head.length, block_side) * width);
  float* const row = scratch.q.need(dim);
  Half* const rows = need_halves(scratch.out, block_side * width);
  for (std::int64_t first = 0; first < head.length; first += block_side) {
    std::fill_n(rows, block_side * width, 0);
    for (std::int64_t r = 0; r < std::min(block_side, head.length - first); ++r) {
      const std::int64_t token = first + r;
      rotate(token_of(head.k, head, token), dim, head.cos + token * (dim / 2), head.sin + token * (dim / 2), 1.0F, row);
      narrow_row(row, dim, rows + r * width);
    }
    pack_right_panel(rows, width, steps, keys + first * width);
  }
}

// Values: a right operand [length, head_dim].
void pack_values(const AttentionHead& head, AttentionScratch& scratch) {
  const std::int64_t steps = steps_of(head.length);
  const std::int64_t depth = steps * step_depth;
  Half* const values = need_halves(scratch.v, round_up(head.head_dim, block_side) * depth);
  for (std::int64_t column = 0; column < head.head_dim; column += block_side) {
    const std::int64_t count = std::min(block_side, head.head_dim - column);
    for (std::int64_t token = 0; token < depth; token += 2) {
      float rows[2][block_side] = {};
      for (std::int64_t i = 0; i < 2; ++i) {
        if (token + i >= head.length) continue;
        const Half* const from = token_of(head.v, head, token + i) + column;
        for (std::int64_t c = 0; c < count; ++c) rows[i][c] = widen(from[c]);
      }
      pack_right_pair(rows[0], rows[1], values + column * depth, token);
    }
  }
}

}  // namespace

namespace PLEAT_INSTRUCTION_SET {

void pack_keys_values(const AttentionHead& head, AttentionScratch& scratch) {
  pack_keys(head, scratch);
  pack_values(head, scratch);
  scratch.score_stride = round_up(head.length, step_depth);
}

void attention_tile(const AttentionHead& head, std::int64_t q_begin, std::int64_t tile, AttentionScratch& scratch) {
  const std::int64_t dim = head.head_dim;
  const std::int64_t steps = steps_of(dim);
  // The rotated queries as they are, then as a left operand.
  float* const row = scratch.q.need(dim + block_side * steps * step_depth / 2);
  auto* const queries = reinterpret_cast<Half*>(row + dim);
  for (std::int64_t r = 0; r < tile; ++r) {
    const std::int64_t token = q_begin + r;
    rotate(token_of(head.q, head, token), dim, head.cos + token * (dim / 2), head.sin + token * (dim / 2),
           head.scale * log2_e, row);
    fill_left_row(row, dim, queries, steps, r);
  }
  float* const numerators = scratch.scores.need(attention_tile_rows * scratch.score_stride);
  auto* const out = static_cast<Half*>(head.out) + q_begin * head.out_stride;
  const TilesInUse tiles;
  attend_tiles(
      queries, reinterpret_cast<const Half*>(scratch.k.get()), reinterpret_cast<const Half*>(scratch.v.get()),
      head.length, dim, tile, numerators, scratch.inverse, scratch.out,
      [](std::int64_t, std::int64_t, Vector sum) { return sum; },
      [&](std::int64_t r, std::int64_t c, Vector sum) {
        Half lanes[W];
        narrow_lanes(sum * scratch.inverse[r], lanes);
        std::copy_n(lanes, std::min(W, dim - c), out + r * head.out_stride + c);
      });
}

}  // namespace PLEAT_INSTRUCTION_SET
}  // namespace pleat::cpu
