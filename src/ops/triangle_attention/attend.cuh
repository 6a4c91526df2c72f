// The steps of attend.
#pragma once

#include "ops/cuda/half_rows.cuh"
#include "ops/triangle_attention/kernels.h"

namespace pleat::cuda::triangle_attention {

// q, kv, bias -> o. A block of 8 warps computes 4 lines x 128 queries of one head (512 rows): a warp has 64 queries of
// one line, so a fragment of keys or values serves four 16-row products, and a tile of bias serves four lines. Keys
// come in tiles of Keys, Stages of them in shared memory; the block is persistent and loads the next item's first tiles
// and queries while it finishes one. Items are numbered so that the blocks of queries and the heads of four lines run
// side by side.
//
// Scores come from the matrix unit whole: S' = q k (bf16) + bias (fp16, as a 16 x 8 A operand times the identity) - m,
// where -m is the C operand of the first product, so neither the bias nor the maximum costs an instruction per element.
// m is a row's maximum over the first 16 keys; it changes only where a sum of four 2^S' passes 2^40 (fp32 and bf16 keep
// their relative precision until far beyond that; a 2^S' that became infinite is computed again), so no maximum is
// taken otherwise: an element costs one ex2, one add and half a conversion. Sums of weights are of the fp32 weights. A
// warp's two halves of 32 queries alternate: the exponentials of one stand beside the other's scores and its own last
// values, and whether a half must be rescaled is asked half a phase before the answer is needed. The order of keys is
// fixed and every row is computed alone, so a row's bits depend on its q, its line's kv and its bias only, whatever
// Keys and Stages.
//   reads  q 256, kv 512 B/pair (once from memory), bias 8; writes o 256: 1032 B/pair -> 0.344 ns/pair at 3.0 TB/s
//   FLOPs  512 L^3 (and 64 L^3 more for adding the bias): L = 1024: 0.55 T -> 0.70 ms at 790 TFLOP/s, 0.97 by mma.sync
//   per 16 x 8 elements and SM: 128 ex2 8 clocks; 4 HMMA.16816 + 1 HMMA.1688 about 7.5 (mma.sync at 2450 FLOP per
//   clock); 24 instructions 6; shared memory 512 B read (kv 2, bias 2 B/element) + 192 written: 5.5; L2 to SM 192 B (kv
//   1, bias 0.5 B/element): 8 at 24 B/clock
// Bound by ex2: 4 L^3 / (16 * 132 * 1.755 GHz): L = 512: 145 us, L = 1024: 1.16 ms. A model of two warps' instruction
// streams gives 8.9 to 9.9 clocks in place of 8, to which come the ends of tiles (6 %) and of items (1500 clocks):
// about 200 us and 1.6 ms.
template <int Keys, int Stages>
struct AttendShape {
  static constexpr int lines = 4;
  static constexpr int queries = 128;
  static constexpr int query_bytes = lines * queries * 64;
  static constexpr int kv_bytes = lines * Keys * 128;
  static constexpr int bias_bytes = queries * Keys * 2;
  static constexpr int stage_bytes = kv_bytes + bias_bytes;
  static constexpr int shared_bytes = query_bytes + Stages * stage_bytes;
};

constexpr float rescale_above = 1099511627776.0f;  // 2^40

// First part of a phase: weighted values of the last step beside the first exponentials of this one, of the same half.
__device__ __forceinline__ void attend_values(float (&out)[2][4][4], const std::uint32_t (&weight)[2][4],
                                              const std::uint32_t (&value)[2][4], const float (&score)[2][2][4],
                                              float (&early)[2][4]) {
#pragma unroll
  for (int m = 0; m < 2; ++m)
#pragma unroll
    for (int d = 0; d < 4; ++d) {
      mma_add(out[m][d], weight[m], value[d >> 1][(d & 1) * 2], value[d >> 1][(d & 1) * 2 + 1]);
      early[m][d] = exp2_here(score[0][m][d]);
    }
}

// Second part: the other half's next scores beside this half's other exponentials.
__device__ __forceinline__ void attend_scores(float (&score_y)[2][2][4], const std::uint32_t (&query_y)[2][2][4],
                                              const float (&minus_max_y)[2][4], const std::uint32_t (&key)[2][4],
                                              const std::uint32_t (&bias)[2][4], std::uint32_t identity,
                                              const float (&score_x)[2][2][4], const float (&early_x)[2][4],
                                              std::uint32_t (&weight_x)[2][4], float (&sum_x)[2][2]) {
  float late[2][4];
#pragma unroll
  for (int m = 0; m < 2; ++m)
#pragma unroll
    for (int j = 0; j < 2; ++j) {
      mma(score_y[m][j], query_y[m][0], key[j][0], key[j][1], minus_max_y[m]);
      late[m][2 * j] = exp2_fast(score_x[1][m][2 * j]);
      late[m][2 * j + 1] = exp2_fast(score_x[1][m][2 * j + 1]);
    }
#pragma unroll
  for (int m = 0; m < 2; ++m)
#pragma unroll
    for (int j = 0; j < 2; ++j) mma_add(score_y[m][j], query_y[m][1], key[j][2], key[j][3]);
#pragma unroll
  for (int m = 0; m < 2; ++m)
#pragma unroll
    for (int j = 0; j < 2; ++j) mma_add_fp16(score_y[m][j], bias[m][2 * j], bias[m][2 * j + 1], identity);
#pragma unroll
  for (int m = 0; m < 2; ++m) {
    const auto e = [&](int j, int c) { return m == 0 ? early_x[j][c] : late[j][c]; };
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      weight_x[m][r] = pack_bf16(e(0, 2 * r), e(0, 2 * r + 1));
      weight_x[m][2 + r] = pack_bf16(e(1, 2 * r), e(1, 2 * r + 1));
      sum_x[m][r] = (e(0, 2 * r) + e(0, 2 * r + 1)) + (e(1, 2 * r) + e(1, 2 * r + 1));
    }
  }
}

// The rare step: a new maximum, everything gathered so far scaled to it, this step's weights again.
__device__ __forceinline__ void attend_rescale(bool first, const float (&score)[2][2][4], std::uint32_t (&weight)[2][4],
                                               float (&sum)[2][2], float (&minus_max)[2][4], float (&total)[2][2],
                                               float (&out)[2][4][4]) {
#pragma unroll
  for (int m = 0; m < 2; ++m)
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const int c = 2 * r;
      float top = fmaxf(fmaxf(score[m][0][c], score[m][0][c + 1]), fmaxf(score[m][1][c], score[m][1][c + 1]));
      top = fmaxf(top, shuffle_xor(top, 1));
      top = fmaxf(top, shuffle_xor(top, 2));
      float most = fmaxf(sum[m][r], shuffle_xor(sum[m][r], 1));
      most = fmaxf(most, shuffle_xor(most, 2));
      const float raised = first || most > rescale_above ? top : 0.0f;  // a row's own affair
      const float scale = first ? 0.0f : exp2_fast(-raised);
      minus_max[m][c] -= raised;
      minus_max[m][c + 1] -= raised;
      total[m][r] *= scale;
#pragma unroll
      for (int d = 0; d < 4; ++d) {
        out[m][d][c] *= scale;
        out[m][d][c + 1] *= scale;
      }
      const float e0 = exp2_fast(score[m][0][c] - raised), e1 = exp2_fast(score[m][0][c + 1] - raised);
      const float e2 = exp2_fast(score[m][1][c] - raised), e3 = exp2_fast(score[m][1][c + 1] - raised);
      weight[m][r] = pack_bf16(e0, e1);
      weight[m][2 + r] = pack_bf16(e2, e3);
      sum[m][r] = (e0 + e1) + (e2 + e3);
    }
}

__device__ __forceinline__ bool attend_overflows(const float (&sum)[2][2]) {
  return fmaxf(fmaxf(sum[0][0], sum[0][1]), fmaxf(sum[1][0], sum[1][1])) > rescale_above;
}

}  // namespace pleat::cuda::triangle_attention
