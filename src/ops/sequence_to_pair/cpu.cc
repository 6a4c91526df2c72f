#include "ops/sequence_to_pair/cpu.h"

#include "ops/cpu/instruction_set.h"
#include "ops/cpu/runs.h"

namespace pleat::cpu {
namespace PLEAT_INSTRUCTION_SET {

void outer_update(const Run& run, const OuterUpdate& job, PairScratch& scratch) {
  const std::int64_t C = job.channels;
  const std::int64_t K = job.inner;
  float* const product = scratch.rows.need(run_length * K);
  for (std::int64_t r = 0; r < run.count; ++r) {
    for (std::int64_t k = 0; k < K; ++k) product[r * K + k] = job.first[k] * job.second[r * job.second_stride + k];
  }
  multiply(
      run.count, C, K, product, K, 1, job.weight,
      [&](std::int64_t r, std::int64_t c) {
        return load_some(job.left + c, C - c) + load_some(job.right + r * C + c, C - c);
      },
      [&](std::int64_t r, std::int64_t c, Vector sum) { add_some(run.z + r * run.stride + c, sum, C - c); });
}

}  // namespace PLEAT_INSTRUCTION_SET
}  // namespace pleat::cpu
