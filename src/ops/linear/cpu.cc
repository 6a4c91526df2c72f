#include "ops/linear/cpu.h"

#include "ops/cpu/instruction_set.h"
#include "ops/cpu/runs.h"

namespace pleat::cpu {
namespace {

// Depth of one step of a linear layer: the columns of a tile stay in the second-level cache from rows to rows.
constexpr std::int64_t linear_depth = 1024;

}  // namespace

namespace PLEAT_INSTRUCTION_SET {

void linear(const LinearColumns& job) {
  for (std::int64_t panel = 0; panel < job.columns; panel += panel_width) {
    const float* const weight = job.weight + panel * job.in;
    for (std::int64_t k = 0; k < job.in; k += linear_depth) {
      const std::int64_t depth = std::min(linear_depth, job.in - k);
      for_column_blocks(std::min(panel_width, job.columns - panel), [&](auto V, std::int64_t column) {
        for_row_blocks(job.rows, [&](auto M, std::int64_t row) {
          const std::int64_t first = panel + column;
          float* const out = job.out + row * job.out_stride + first;
          multiply_tile<M(), V()>(
              depth, job.x + row * job.in + k, job.in, 1, weight + k * panel_width + column, panel_width,
              [&](std::int64_t m, std::int64_t v) {
                return k == 0 ? load(job.bias + first + v * W)
                              : load_some(out + m * job.out_stride + v * W, job.columns - first - v * W);
              },
              [&](std::int64_t m, std::int64_t v, Vector sum) {
                store_some(out + m * job.out_stride + v * W, sum, job.columns - first - v * W);
              });
        });
      });
    }
  }
}

}  // namespace PLEAT_INSTRUCTION_SET
}  // namespace pleat::cpu
