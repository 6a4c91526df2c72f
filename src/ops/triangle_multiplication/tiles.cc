#include "ops/cpu/tile_operands.h"
#include "ops/cpu/tile_set.h"
#include "ops/triangle_multiplication/normalize.h"

namespace pleat::cpu {
namespace {

// LN of a run -> a right operand [C, run_length].
const std::uint16_t* normalised_pairs(const Run& run, const TileTriangleProjection& job, PairScratch& scratch) {
  const std::int64_t C = job.channels;
  const std::int64_t width = steps_of(C) * step_depth;
  float* const rows = scratch.rows.need(run_length * C);
  normalise_run(run, C, job.norm, rows);
  std::uint16_t* const narrowed = need_halves(scratch.product, run_length * width);
  std::fill_n(narrowed, run_length * width, 0);
  for (std::int64_t r = 0; r < run.count; ++r) narrow_row(rows + r * C, C, narrowed + r * width);
  std::uint16_t* const right = need_halves(scratch.columns, run_length * width);
  for (std::int64_t r = 0; r < run_length; r += block_side) {
    pack_right_panel(narrowed + r * width, width, width / step_depth, right + r * width);
  }
  return right;
}

// columns [width, run_length] -> rows [count, width]
void transpose_columns(const float* columns, std::int64_t count, std::int64_t width, float* rows) {
  for (std::int64_t r = 0; r < count; ++r) {
    for (std::int64_t c = 0; c < width; ++c) rows[r * width + c] = columns[c * run_length + r];
  }
}

}  // namespace

namespace PLEAT_INSTRUCTION_SET {

void triangle_project(const Run& run, const TileTriangleProjection& job, std::int64_t first, std::int64_t count,
                      std::uint16_t* const out[2], std::int64_t plane, PairScratch& scratch) {
  const std::int64_t steps = steps_of(job.channels);
  const std::int64_t columns = round_up(run.count, block_side);
  const std::uint16_t* const pairs = normalised_pairs(run, job, scratch);
  float* const values = scratch.gathered.need(count * run_length);
  const TilesInUse tiles;
  for (int half = 0; half < 2; ++half) {
    const std::int64_t skipped = first * steps * step_depth;
    multiply_tiles(job.weight[half] + skipped, count, pairs, columns, steps,
                   [&](std::int64_t c, std::int64_t r, Vector sum) {
                     store(values + c * run_length + r, sum + job.bias[half][first + c]);
                   });
    multiply_tiles(job.gate[half] + skipped, count, pairs, columns, steps,
                   [&](std::int64_t c, std::int64_t r, Vector sum) {
                     const Vector gate = sigmoid(sum + job.gate_bias[half][first + c]);
                     std::uint16_t* const to = out[half] + c * plane + r;
                     narrow_lanes(load(values + c * run_length + r) * gate, to);
                     for (std::int64_t i = std::max<std::int64_t>(0, run.count - r); i < W; ++i) to[i] = 0;
                   });
  }
}

void triangle_product(const std::uint16_t* a, const std::uint16_t* b, std::int64_t stride, float* out,
                      std::int64_t out_stride, std::int64_t length, PairScratch& scratch) {
  const std::int64_t steps = steps_of(length);
  const std::int64_t padded = steps * step_depth;
  std::uint16_t* const left = need_halves(scratch.rows, left_size(length, steps));
  for (std::int64_t i = 0; i < length; ++i) {
    for (std::int64_t k = 0; k < padded; k += step_depth) {
      std::copy_n(a + i * stride + k, step_depth, left_place(left, steps, i, k));
    }
  }
  // A panel at a time; the last one's rows are copied where there are fewer than 32.
  std::uint16_t* const right = need_halves(scratch.columns, 2 * block_side * padded);
  std::uint16_t* const last = right + block_side * padded;
  const TilesInUse tiles;
  for (std::int64_t j = 0; j < length; j += block_side) {
    const std::int64_t count = std::min(block_side, length - j);
    for (std::int64_t r = 0; r < (count < block_side ? block_side : 0); ++r) {
      if (r < count) {
        std::copy_n(b + (j + r) * stride, padded, last + r * padded);
      } else {
        std::fill_n(last + r * padded, padded, 0);
      }
    }
    pack_right_panel(count < block_side ? last : b + j * stride, count < block_side ? padded : stride, steps, right);
    multiply_tiles(left, length, right, count, steps,
                   [&](std::int64_t i, std::int64_t c, Vector sum) { store(out + i * out_stride + j + c, sum); });
  }
}

void triangle_output(const Run& run, const TileTriangleOutput& job, const float* x, std::int64_t plane,
                     PairScratch& scratch) {
  const std::int64_t C = job.channels;
  const std::int64_t width = round_up(C, W);
  float* const rows = scratch.rows.need(run_length * C);
  float* const values = scratch.product.need(run_length * width);
  const float* const columns = normalised_planes(x, plane, C, run.count, job.norm_out, scratch.columns);
  transpose_columns(columns, run.count, C, rows);
  const std::uint16_t* const product = pack_left(rows, run.count, C, scratch.keys);
  normalise_run(run, C, job.norm_in, rows);
  const std::uint16_t* const state = pack_left(rows, run.count, C, scratch.queries);
  const TilesInUse tiles;
  multiply_tiles(product, run.count, job.weight, C, steps_of(C), [&](std::int64_t r, std::int64_t c, Vector sum) {
    store(values + r * width + c, sum + load(job.bias + c));
  });
  multiply_tiles(state, run.count, job.gate, C, steps_of(C), [&](std::int64_t r, std::int64_t c, Vector sum) {
    const Vector gate = sigmoid(sum + load(job.gate_bias + c));
    add_some(run.z + r * run.stride + c, load(values + r * width + c) * gate, C - c);
  });
}

}  // namespace PLEAT_INSTRUCTION_SET
}  // namespace pleat::cpu
