#include "ops/pair_transition/cpu.h"

#include "ops/cpu/instruction_set.h"
#include "ops/cpu/runs.h"

namespace pleat::cpu {
namespace PLEAT_INSTRUCTION_SET {

void transition(const Run& run, const PairTransition& job, PairScratch& scratch) {
  const std::int64_t C = job.channels;
  const std::int64_t hidden = round_up(job.hidden, W);
  float* const rows = scratch.rows.need(run_length * C);
  float* const middle = scratch.product.need(run_length * hidden);
  normalise_run(run, C, job.norm, rows);
  multiply(
      run.count, job.hidden, C, rows, C, 1, job.in, [&](std::int64_t, std::int64_t c) { return load(job.in_bias + c); },
      [&](std::int64_t r, std::int64_t c, Vector sum) { store(middle + r * hidden + c, sum > 0.0F ? sum : Vector{}); });
  multiply(
      run.count, C, job.hidden, middle, hidden, 1, job.out,
      [&](std::int64_t, std::int64_t c) { return load(job.out_bias + c); },
      [&](std::int64_t r, std::int64_t c, Vector sum) { add_some(run.z + r * run.stride + c, sum, C - c); });
}

}  // namespace PLEAT_INSTRUCTION_SET
}  // namespace pleat::cpu
