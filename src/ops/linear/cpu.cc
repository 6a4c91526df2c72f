#include "ops/linear/cpu.h"

#include "ops/cpu/instruction_set.h"
#include "ops/cpu/runs.h"
#include "ops/linear/ending.h"

namespace pleat::cpu {
namespace {

// Depth of one step of a linear layer: the columns of a tile stay in the second-level cache from rows to rows.
constexpr std::int64_t linear_depth = 1024;
// A step of that depth is too large for the first-level cache, and the processor alone fetches it too late.
constexpr std::int64_t fetched_ahead = 12;

// `depth` rows of a panel, in float32; those of bfloat16 are widened once for all rows of x.
const float* widened_panel(const LinearColumns& job, std::int64_t first, std::int64_t depth, PairScratch& scratch) {
  if (job.element == Element::float32) return static_cast<const float*>(job.weight) + first * panel_width;
  const auto* const from = static_cast<const std::uint16_t*>(job.weight) + first * panel_width;
  float* const to = scratch.columns.need(linear_depth * panel_width);
  for (std::int64_t i = 0; i < depth * panel_width; ++i) to[i] = widen(from[i]);
  return to;
}

template <class T>
inline void write_some(T* to, Vector v, std::int64_t count) {
  float lanes[W];
  store(lanes, v);
  for (std::int64_t i = 0; i < std::min(count, W); ++i) narrow(lanes[i], to + i);
}

inline void write_sum(const LinearColumns& job, std::int64_t row, std::int64_t column, Vector sum) {
  const std::int64_t place = row * job.out_stride + column;
  const std::int64_t count = job.columns - column;
  if (job.ending == Ending::add) {
    add_some(static_cast<float*>(job.out) + place, sum, count);
  } else if (job.element == Element::float32) {
    store_some(static_cast<float*>(job.out) + place, finished(sum, job.ending), count);
  } else {
    write_some(static_cast<std::uint16_t*>(job.out) + place, finished(sum, job.ending), count);
  }
}

}  // namespace

namespace PLEAT_INSTRUCTION_SET {

void linear(const LinearColumns& whole, PairScratch& scratch) {
  LinearColumns job = whole;
  float* const sums = scratch.product.need(job.rows * panel_width);  // between two steps of depth
  for (std::int64_t panel = 0; panel < whole.columns; panel += panel_width) {
    for (std::int64_t k = 0; k < job.in; k += linear_depth) {
      const std::int64_t depth = std::min(linear_depth, job.in - k);
      const float* const weight = widened_panel(job, k, depth, scratch);
      const bool last = k + depth == job.in;
      for_column_blocks(std::min(panel_width, whole.columns - panel), [&](auto V, std::int64_t column) {
        for_row_blocks(job.rows, [&](auto M, std::int64_t row) {
          float* const kept = sums + row * panel_width + column;
          multiply_tile<M(), V(), fetched_ahead>(
              depth, job.x + row * job.in + k, job.in, 1, weight + column, panel_width,
              [&](std::int64_t m, std::int64_t v) {
                return load(k == 0 ? job.bias + panel + column + v * W : kept + m * panel_width + v * W);
              },
              [&](std::int64_t m, std::int64_t v, Vector sum) {
                if (last) {
                  write_sum(job, row + m, panel + column + v * W, sum);
                } else {
                  store(kept + m * panel_width + v * W, sum);
                }
              });
        });
      });
    }
    job.weight = static_cast<const char*>(job.weight) +
                 job.in * panel_width * (job.element == Element::float32 ? sizeof(float) : sizeof(std::uint16_t));
  }
}

}  // namespace PLEAT_INSTRUCTION_SET
}  // namespace pleat::cpu
