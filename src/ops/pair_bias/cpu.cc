#include "ops/cpu/instruction_set.h"
#include "ops/cpu/runs.h"

namespace pleat::cpu {
namespace PLEAT_INSTRUCTION_SET {

void pair_bias(const Run& run, std::int64_t channels, const Norm& norm, const float* weight, std::int64_t heads,
               float* bias, std::int64_t plane, PairScratch& scratch) {
  const float* const columns = normalise_columns(run, channels, norm, scratch);
  const auto write = [&](std::int64_t h, std::int64_t r, Vector sum) {
    store_some(bias + h * plane + r, sum, run.count - r);
  };
  multiply(heads, run.count, channels, weight, channels, 1, columns, [](auto, auto) { return Vector{}; }, write);
}

}  // namespace PLEAT_INSTRUCTION_SET
}  // namespace pleat::cpu
