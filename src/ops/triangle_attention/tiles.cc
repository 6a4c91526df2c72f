#include "ops/cpu/tile_operands.h"
#include "ops/cpu/tile_set.h"

namespace pleat::cpu {
namespace {

// One head of a row: operands of the products of its attention.
struct Head {
  std::uint16_t* queries;  // left [L, head_dim]
  std::uint16_t* keys;     // right [head_dim, L]
  std::uint16_t* values;   // right [L, head_dim]
};

// Whole steps of a head: what its queries, its keys and its values take in the weight's columns each.
std::int64_t head_width(const TileTriangleAttentionRow& job) { return steps_of(job.head_dim) * step_depth; }

// Queries, keys and values of a head from x, left [L, C].
void project(const TileTriangleAttentionRow& job, std::int64_t number, const std::uint16_t* x, PairScratch& scratch,
             const Head& head) {
  const std::int64_t L = job.length;
  const std::int64_t width = head_width(job);
  const std::int64_t steps = steps_of(job.channels);
  const std::int64_t padded = round_up(L, block_side);
  std::uint16_t* const rows = need_halves(scratch.values, padded * width);  // keys as they are
  float* const values = scratch.product.need(padded * width);
  std::fill_n(rows + L * width, (padded - L) * width, 0);
  std::fill_n(values + L * width, (padded - L) * width, 0.0F);
  const std::uint16_t* const weight = job.query_key_value + number * 3 * width * steps * step_depth;
  multiply_tiles(x, L, weight, 3 * width, steps, [&](std::int64_t r, std::int64_t c, Vector sum) {
    if (c < width) {
      narrow_lanes(sum, left_place(head.queries, width / step_depth, r, c));
    } else if (c < 2 * width) {
      narrow_lanes(sum, rows + r * width + c - width);
    } else {
      store(values + r * width + c - 2 * width, sum);
    }
  });
  for (std::int64_t r = 0; r < padded; r += block_side) {
    pack_right_panel(rows + r * width, width, width / step_depth, head.keys + r * width);
  }
  for (std::int64_t c = 0; c < width; c += block_side) {
    for (std::int64_t r = 0; r < padded; r += 2) {
      pack_right_pair(values + r * width + c, values + (r + 1) * width + c, head.values + c * padded, r);
    }
  }
}

// What the head's attention gives -> its columns of gathered [L, C], contiguous.
void attend(const TileTriangleAttentionRow& job, std::int64_t number, const Head& head, float* gathered,
            PairScratch& scratch) {
  const std::int64_t L = job.length;
  const std::int64_t d = job.head_dim;
  const float* const bias = job.bias + number * L * job.bias_stride;
  float* const numerators = scratch.scores.need(block_side * round_up(L, step_depth));
  float inverse[block_side];
  for (std::int64_t q = 0; q < L; q += block_side) {
    attend_tiles(
        head.queries + q * head_width(job), head.keys, head.values, L, d, std::min(block_side, L - q), numerators,
        inverse, scratch.product,
        [&](std::int64_t r, std::int64_t c, Vector sum) {
          return c < L ? sum + load_some(bias + (q + r) * job.bias_stride + c, L - c) : sum;
        },
        [&](std::int64_t r, std::int64_t c, Vector sum) {
          store_some(gathered + (q + r) * job.channels + number * d + c, sum * inverse[r], d - c);
        });
  }
}

}  // namespace

namespace PLEAT_INSTRUCTION_SET {

void triangle_attention(const TileTriangleAttentionRow& job, PairScratch& scratch) {
  const std::int64_t C = job.channels;
  const std::int64_t L = job.length;
  const std::int64_t steps = steps_of(C);
  const std::int64_t operand = round_up(L, block_side) * head_width(job);  // numbers of a head's operand
  float* const gathered = scratch.gathered.need(L * C);
  const Run row{job.z, job.stride, L};
  float* const rows = scratch.rows.need(L * C);
  normalise_run(row, C, job.norm, rows);
  const std::uint16_t* const x = pack_left(rows, L, C, scratch.columns);
  std::uint16_t* const operands = need_halves(scratch.keys, 3 * operand);
  const Head head{operands, operands + operand, operands + 2 * operand};
  const TilesInUse tiles;
  for (std::int64_t number = 0; number < job.heads; ++number) {
    project(job, number, x, scratch, head);
    attend(job, number, head, gathered, scratch);
  }
  multiply_tiles(x, L, job.gate, C, steps, [&](std::int64_t r, std::int64_t c, Vector sum) {
    float* const to = gathered + r * C + c;
    store_some(to, load_some(to, C - c) * sigmoid(sum + load(job.gate_bias + c)), C - c);
  });
  const std::uint16_t* const gated = pack_left(gathered, L, C, scratch.queries);
  multiply_tiles(gated, L, job.out, C, steps, [&](std::int64_t r, std::int64_t c, Vector sum) {
    add_some(row.z + r * row.stride + c, sum + load(job.out_bias + c), C - c);
  });
}

}  // namespace PLEAT_INSTRUCTION_SET
}  // namespace pleat::cpu
