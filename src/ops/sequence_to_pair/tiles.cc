#include "ops/cpu/tile_operands.h"
#include "ops/cpu/tile_set.h"

namespace pleat::cpu {
namespace PLEAT_INSTRUCTION_SET {

void outer_update(const Run& run, const TileOuterUpdate& job, PairScratch& scratch) {
  const std::int64_t C = job.channels;
  const std::int64_t K = job.inner;
  const float* const product = outer_products(run, job, scratch);
  const std::uint16_t* const left = pack_left(product, run.count, K, scratch.columns);
  const TilesInUse tiles;
  multiply_tiles(left, run.count, job.weight, C, steps_of(K), [&](std::int64_t r, std::int64_t c, Vector sum) {
    const Vector differences = load_some(job.left + c, C - c) + load_some(job.right + r * C + c, C - c);
    add_some(run.z + r * run.stride + c, sum + differences, C - c);
  });
}

}  // namespace PLEAT_INSTRUCTION_SET
}  // namespace pleat::cpu
