// The inner loops of ops/ on a processor, one table of functions per instruction set.
#pragma once

#include <cstdint>
#include <vector>

#include "ops/attention/cpu.h"
#include "ops/biased_attention/cpu.h"
#include "ops/cpu/element.h"
#include "ops/cpu/pair.h"
#include "ops/linear/cpu.h"
#include "ops/pair_transition/cpu.h"
#include "ops/sequence_to_pair/cpu.h"
#include "ops/triangle_attention/cpu.h"
#include "ops/triangle_multiplication/cpu.h"

namespace pleat::cpu {

struct Kernels {
  const char* name;
  // Rounds, rotates and lays out k and v of a head in `scratch`, for the calls of attention_tile that follow.
  void (*pack_keys_values)(const AttentionHead& head, AttentionScratch& scratch);
  // Queries [q_begin, q_begin + tile), tile <= attention_tile_rows: writes their rows of out and leaves their softmax
  // in scratch.scores, one row every scratch.score_stride, to be multiplied by scratch.inverse of the row.
  void (*attention_tile)(const AttentionHead& head, std::int64_t q_begin, std::int64_t tile, AttentionScratch& scratch);
  // residual[i] += update[i] (skipped where update is null), then out = layer_norm(residual) * weight + bias.
  void (*add_layer_norm)(float* residual, const void* update, Element update_element, const float* weight,
                         const float* bias, float eps, std::int64_t width, void* out, Element out_element);
  // bias[h * plane + r] = LN(z_r) . weight[h], for the pairs r of a run. weight [heads, C].
  void (*pair_bias)(const Run& run, std::int64_t channels, const Norm& norm, const float* weight, std::int64_t heads,
                    float* bias, std::int64_t plane, PairScratch& scratch);
  // out[half][c * plane + r] = sigmoid(gate . LN(z_r)) * (weight . LN(z_r)), for `count` channels from `first` on.
  // Writes whole registers: up to round_up(run.count, 16) places.
  void (*triangle_project)(const Run& run, const TriangleProjection& job, std::int64_t first, std::int64_t count,
                           float* const out[2], std::int64_t plane, PairScratch& scratch);
  // out[i, j] = sum over k of a[k, i] * b[k, j]; each [length, stride]. `out` may be `a`.
  void (*triangle_product)(const float* a, const float* b, float* out, std::int64_t length, std::int64_t stride,
                           PairScratch& scratch);
  // z_r += sigmoid(gate . LN_in(z_r)) * (weight . LN_out(x_r)), with x_r[c] = x[c * plane + r].
  void (*triangle_output)(const Run& run, const TriangleOutput& job, const float* x, std::int64_t plane,
                          PairScratch& scratch);
  // One row (or column) of triangle attention: z_r += out . (sigmoid(gate . x_r) * attention(x)_r), x = LN(z).
  void (*triangle_attention)(const TriangleAttentionRow& job, PairScratch& scratch);
  // z_r += out . relu(in . LN(z_r))
  void (*transition)(const Run& run, const PairTransition& job, PairScratch& scratch);
  // z_r += weight . (first * second_r) + right_r + left
  void (*outer_update)(const Run& run, const OuterUpdate& job, PairScratch& scratch);
  // out = softmax(scale q k^T + bias) v, for all queries of one head.
  void (*biased_attention)(const BiasedHead& head, PairScratch& scratch);
  // out = ending(x weight + bias)
  void (*linear)(const LinearColumns& job, PairScratch& scratch);
};

namespace baseline {
extern const Kernels table;
}
namespace avx2 {
extern const Kernels table;
}
namespace avx512 {
extern const Kernels table;
}

// The tables of the processor's path and of those below it, the fastest first.
const std::vector<const Kernels*>& usable_kernels();

// The table in use: the fastest, unless a test has chosen another one.
const Kernels& kernels();
void use_kernels(const Kernels& table);

}  // namespace pleat::cpu
