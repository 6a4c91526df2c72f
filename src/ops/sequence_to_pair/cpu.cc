#include "ops/sequence_to_pair/cpu.h"

#include "ops/cpu/instruction_set.h"
#include "ops/cpu/runs.h"

namespace pleat::cpu {
namespace PLEAT_INSTRUCTION_SET {

void outer_update(const Run& run, const OuterUpdate& job, PairScratch& scratch) {
  const std::int64_t C = job.channels;
  const std::int64_t K = job.inner;
  const float* const product = outer_products(run, job, scratch);
  multiply(
      run.count, C, K, product, K, 1, job.weight,
      [&](std::int64_t r, std::int64_t c) {
        return load_some(job.left + c, C - c) + load_some(job.right + r * C + c, C - c);
      },
      [&](std::int64_t r, std::int64_t c, Vector sum) { add_some(run.z + r * run.stride + c, sum, C - c); });
}

}  // namespace PLEAT_INSTRUCTION_SET
}  // namespace pleat::cpu
