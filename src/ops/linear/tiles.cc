#include "ops/cpu/tile_operands.h"
#include "ops/cpu/tile_set.h"
#include "ops/linear/ending.h"

namespace pleat::cpu {
namespace {

// Bytes of a panel that stay in the first-level cache from block to block of rows.
constexpr std::int64_t panel_bytes = 32768;

// x [rows, in] as a left operand.
void pack_x(const TileLinear& job, std::int64_t steps, std::uint16_t* tiles) {
  for (std::int64_t row = 0; row < job.rows; ++row) {
    for (std::int64_t first = 0; first < job.in; first += step_depth) {
      const std::int64_t count = std::min(step_depth, job.in - first);
      std::uint16_t* const to = left_place(tiles, steps, row, first);
      std::copy_n(job.x + row * job.in + first, count, to);
      std::fill_n(to + count, step_depth - count, 0);
    }
  }
}

// One row's 32 columns of a block's sums, with bias and activation.
inline void finish_row(const float* sums, const float* bias, Ending ending, float* values) {
  for (std::int64_t c = 0; c < block_side; c += W) {
    store(values + c, finished(load(sums + c / 16 * 256 + c % 16) + load(bias + c), ending));
  }
}

void finish_block(const TileLinear& job, const float* sums, std::int64_t row, std::int64_t rows, std::int64_t column) {
  const std::int64_t count = std::min(block_side, job.columns - column);
  for (std::int64_t r = 0; r < rows; ++r) {
    float values[block_side];
    finish_row(sums + r / 16 * 512 + r % 16 * 16, job.bias + column, job.ending, values);
    const std::int64_t place = (row + r) * job.out_stride + column;
    if (job.ending == Ending::add) {
      float* const out = static_cast<float*>(job.out) + place;
      for (std::int64_t c = 0; c < count; ++c) out[c] += values[c];
    } else {
      auto* const out = static_cast<std::uint16_t*>(job.out) + place;
      for (std::int64_t c = 0; c < count; ++c) narrow(values[c], out + c);
    }
  }
}

void multiply_panels(const TileLinear& job, std::int64_t steps, const std::uint16_t* left, float* sums) {
  constexpr std::int64_t together = panel_bytes / (2 * step_halves);
  const std::uint16_t* right = job.weight;
  for (std::int64_t column = 0; column < job.columns; column += block_side, right += steps * step_halves) {
    for (std::int64_t step = 0; step < steps; step += together) {
      const std::int64_t count = std::min(together, steps - step);
      for (std::int64_t row = 0; row < job.rows; row += block_side) {
        const std::int64_t row_tiles = job.rows - row > 16 ? 2 : 1;
        Blocks::multiply(count, row_tiles, left + (row / block_side * steps + step) * step_halves,
                         right + step * step_halves, sums + row * block_side, step == 0);
      }
    }
    for (std::int64_t row = 0; row < job.rows; row += block_side) {
      finish_block(job, sums + row * block_side, row, std::min(block_side, job.rows - row), column);
    }
  }
}

}  // namespace

namespace PLEAT_INSTRUCTION_SET {

void tile_linear(const TileLinear& job, TileScratch& scratch) {
  const std::int64_t steps = steps_of(job.in);
  std::uint16_t* const left = need_halves(scratch.left, left_size(job.rows, steps));
  float* const sums = scratch.sums.need(round_up(job.rows, block_side) * block_side);
  pack_x(job, steps, left);
  const TilesInUse tiles;
  multiply_panels(job, steps, left, sums);
}

}  // namespace PLEAT_INSTRUCTION_SET
}  // namespace pleat::cpu
