#include "ops/cpu/tile_operands.h"
#include "ops/cpu/tile_set.h"

namespace pleat::cpu {
namespace PLEAT_INSTRUCTION_SET {

void transition(const Run& run, const TilePairTransition& job, PairScratch& scratch) {
  const std::int64_t C = job.channels;
  const std::int64_t steps = steps_of(job.hidden);
  float* const rows = scratch.rows.need(run_length * C);
  normalise_run(run, C, job.norm, rows);
  const std::uint16_t* const left = pack_left(rows, run.count, C, scratch.columns);
  std::uint16_t* const middle = need_halves(scratch.product, left_size(run.count, steps));
  const TilesInUse tiles;
  // Up to a whole step: what fills up weight and bias gives zeros.
  multiply_tiles(left, run.count, job.in, steps * step_depth, steps_of(C),
                 [&](std::int64_t r, std::int64_t c, Vector sum) {
                   const Vector x = sum + load(job.in_bias + c);
                   narrow_lanes(x > 0.0F ? x : Vector{}, left_place(middle, steps, r, c));
                 });
  multiply_tiles(middle, run.count, job.out, C, steps, [&](std::int64_t r, std::int64_t c, Vector sum) {
    add_some(run.z + r * run.stride + c, sum + load(job.out_bias + c), C - c);
  });
}

}  // namespace PLEAT_INSTRUCTION_SET
}  // namespace pleat::cpu
