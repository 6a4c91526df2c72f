#include "ops/triangle_attention/cpu.h"

#include "ops/cpu/attend.h"
#include "ops/cpu/instruction_set.h"

namespace pleat::cpu {
namespace PLEAT_INSTRUCTION_SET {

void triangle_attention(const TriangleAttentionRow& job, PairScratch& scratch) {
  const std::int64_t C = job.channels;
  const std::int64_t L = job.length;
  const std::int64_t d = job.head_dim;
  const std::int64_t value_stride = padded_head_dim(d);
  const std::int64_t pair_stride = 2 * value_stride;  // queries and values of a head side by side
  const std::int64_t width = round_up(C, W);
  const std::int64_t panels = round_up(L, run_length);
  float* const rows = scratch.rows.need(run_length * C);
  float* const x = scratch.columns.need(panels * C);  // per run [C, run_length]
  float* const keys = scratch.keys.need(panels * d);  // per run [d, run_length]
  float* const query_value = scratch.queries.need(L * pair_stride);
  float* const scores = scratch.scores.need(query_rows * round_up(L, W));
  float* const gathered = scratch.gathered.need(L * width);
  const auto run_at = [&](std::int64_t r) {
    return Run{job.z + r * job.stride, job.stride, std::min(run_length, L - r)};
  };

  for (std::int64_t r = 0; r < L; r += run_length) {
    normalise_run(run_at(r), C, job.norm, rows);
    if (run_at(r).count < run_length) std::fill(x + r * C, x + (r + run_length) * C, 0.0F);
    transpose_run(rows, C, run_at(r).count, C, x + r * C);
  }
  for (std::int64_t head = 0; head < job.heads; ++head) {
    for (std::int64_t r = 0; r < L; r += run_length) {
      const std::int64_t count = run_at(r).count;
      multiply(
          d, count, C, job.key + head * d * C, C, 1, x + r * C, [](auto, auto) { return Vector{}; },
          [&](std::int64_t m, std::int64_t c, Vector sum) { store(keys + r * d + m * run_length + c, sum); });
      multiply(
          count, pair_stride, C, x + r * C, 1, run_length,
          job.query_value + head * C * round_up(pair_stride, panel_width), [](auto, auto) { return Vector{}; },
          [&](std::int64_t m, std::int64_t c, Vector sum) { store(query_value + (r + m) * pair_stride + c, sum); });
    }
    const float* const bias = job.bias + head * L * job.bias_stride;
    for (std::int64_t q = 0; q < L; q += query_rows) {
      attend_queries(
          query_value + q * pair_stride, pair_stride, keys, query_value + value_stride, pair_stride,
          [&](std::int64_t r, std::int64_t c) { return load_some(bias + (q + r) * job.bias_stride + c, L - c); }, d, L,
          std::min(query_rows, L - q), scores,
          [&](std::int64_t r, std::int64_t c, Vector sum) {
            store_some(gathered + (q + r) * width + head * d + c, sum, d - c);
          });
    }
  }
  for (std::int64_t r = 0; r < L; r += run_length) {
    const Run run = run_at(r);
    float* const o = gathered + r * width;
    multiply(
        run.count, C, C, x + r * C, 1, run_length, job.gate,
        [&](std::int64_t, std::int64_t c) { return load(job.gate_bias + c); },
        [&](std::int64_t m, std::int64_t c, Vector sum) {
          float* const to = o + m * width + c;
          store(to, load(to) * sigmoid(sum));
        });
    multiply(
        run.count, C, C, o, width, 1, job.out, [&](std::int64_t, std::int64_t c) { return load(job.out_bias + c); },
        [&](std::int64_t m, std::int64_t c, Vector sum) { add_some(run.z + m * run.stride + c, sum, C - c); });
  }
}

}  // namespace PLEAT_INSTRUCTION_SET
}  // namespace pleat::cpu
