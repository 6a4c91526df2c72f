#include "ops/biased_attention/cpu.h"

#include "ops/cpu/attend.h"
#include "ops/cpu/instruction_set.h"

namespace pleat::cpu {
namespace PLEAT_INSTRUCTION_SET {

void biased_attention(const BiasedHead& head, PairScratch& scratch) {
  const std::int64_t L = head.length;
  const std::int64_t d = head.head_dim;
  const std::int64_t value_stride = padded_head_dim(d);
  const std::int64_t panels = round_up(L, run_length);
  float* const keys = scratch.keys.need(panels * d);  // per run [d, run_length]
  float* const values = scratch.values.need(L * value_stride);
  float* const queries = scratch.queries.need(query_rows * d);
  float* const scores = scratch.scores.need(query_rows * round_up(L, W));
  const float scale = head.scale * log2_e;
  std::fill(keys, keys + panels * d, 0.0F);
  for (std::int64_t r = 0; r < L; r += run_length) {
    transpose_run(head.k + r * head.row_stride, head.row_stride, std::min(run_length, L - r), d, keys + r * d);
  }
  for (std::int64_t r = 0; r < L; ++r) {
    for (std::int64_t c = 0; c < value_stride; ++c)
      values[r * value_stride + c] = c < d ? head.v[r * head.row_stride + c] : 0;
  }
  for (std::int64_t q = 0; q < L; q += query_rows) {
    const std::int64_t count = std::min(query_rows, L - q);
    for (std::int64_t r = 0; r < count; ++r) {
      for (std::int64_t c = 0; c < d; ++c) queries[r * d + c] = scale * head.q[(q + r) * head.row_stride + c];
    }
    attend_queries(
        queries, d, keys, values, value_stride,
        [&](std::int64_t r, std::int64_t c) {
          return load_some(head.bias + (q + r) * head.bias_stride + c, L - c) * log2_e;
        },
        d, L, count, scores,
        [&](std::int64_t r, std::int64_t c, Vector sum) {
          store_some(head.out + (q + r) * head.out_stride + c, sum, d - c);
        });
  }
}

}  // namespace PLEAT_INSTRUCTION_SET
}  // namespace pleat::cpu
