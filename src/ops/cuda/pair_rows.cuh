// What the pair operations' kernels share: a row of 128 channels over four threads, its layer norm, and weights in
// shared memory.
//
// A row over a quad. mma.m16n8k16 does not mind in which order the k's come, as long as both operands have the same. So
// thread t of a quad (t = lane & 3) has, of each 16 channels, the four neighbours 4 t .. 4 t + 3: one 16-byte access in
// float32, and both of its bf16 registers of an A or B fragment: k-slots 2 t, 2 t + 1 are channels 4 t, 4 t + 1, and
// k-slots 2 t + 8, 2 t + 9 are channels 4 t + 2, 4 t + 3. z therefore goes from global memory to registers, is
// normalised with two shuffles a sum, and is an operand there, without shared memory. Weights are packed once
// (ops/cuda/packing.h), so that they match such operands.
//
// Weights in shared memory: rows of 256 bytes (128 k's) or 128 (64) or 512, in chunks of 16 bytes, chunk c of row r at
// place c ^ (r & 7): ldmatrix reads eight rows of one chunk column without bank conflicts.
#pragma once

#include "ops/cuda/device.cuh"

namespace pleat::cuda {

constexpr int channels = 128;
constexpr float norm_eps = 1e-5f;
constexpr float minus_log2_e = -log2_e;

// p0 *= sigmoid(x0 + bias 0), p1 likewise, where b0 and b1 are the biases times minus_log2_e; one reciprocal for both.
// |Relative error| of a sigmoid < 1e-6 (below an argument of -41 it stays at e^-41).
__device__ __forceinline__ void gate_two(float& p0, float& p1, float x0, float x1, float b0, float b1) {
  const float d0 = 1.0f + exp2_fast(fminf(fmaf(minus_log2_e, x0, b0), 60.0f));
  const float d1 = 1.0f + exp2_fast(fminf(fmaf(minus_log2_e, x1, b1), 60.0f));
  const float r = reciprocal(d0 * d1);
  p0 *= r * d1;
  p1 *= r * d0;
}

// This thread's 32 channels of a row.
__device__ __forceinline__ void load_row(float4 (&v)[8], const float* row, int t) {
#pragma unroll
  for (int kk = 0; kk < 8; ++kk) v[kk] = *reinterpret_cast<const float4*>(row + 16 * kk + 4 * t);
}

// Mean and 1 / standard deviation of a row over its quad, in two passes.
__device__ __forceinline__ void row_moments(const float4 (&v)[8], float& mean, float& rstd) {
  float s = 0.0f;
#pragma unroll
  for (int kk = 0; kk < 8; ++kk) s += (v[kk].x + v[kk].y) + (v[kk].z + v[kk].w);
  s += shuffle_xor(s, 1);
  s += shuffle_xor(s, 2);
  mean = s * (1.0f / channels);
  float q = 0.0f;
#pragma unroll
  for (int kk = 0; kk < 8; ++kk) {
    const float x = v[kk].x - mean, y = v[kk].y - mean, z = v[kk].z - mean, w = v[kk].w - mean;
    q += (x * x + y * y) + (z * z + w * w);
  }
  q += shuffle_xor(q, 1);
  q += shuffle_xor(q, 2);
  rstd = inverse_root(q * (1.0f / channels) + norm_eps);
}

__device__ __forceinline__ float4 normalised(const float4& v, float mean, float rstd, const float4& gamma,
                                             const float4& beta) {
  return make_float4((v.x - mean) * rstd * gamma.x + beta.x, (v.y - mean) * rstd * gamma.y + beta.y,
                     (v.z - mean) * rstd * gamma.z + beta.z, (v.w - mean) * rstd * gamma.w + beta.w);
}

// gamma, beta: addresses in shared memory. One normalised row as a B fragment's column: out[kk] = slots (2t 2t+1, 2t+8
// 2t+9) of k-step kk.
__device__ __forceinline__ void norm_column(const float4 (&v)[8], std::uint32_t gamma, std::uint32_t beta, int t,
                                            std::uint32_t (&out)[8][2]) {
  float mean, rstd;
  row_moments(v, mean, rstd);
#pragma unroll
  for (int kk = 0; kk < 8; ++kk) {
    const float4 y =
        normalised(v[kk], mean, rstd, load_shared(gamma + 64 * kk + 16 * t), load_shared(beta + 64 * kk + 16 * t));
    out[kk][0] = pack_bf16(y.x, y.y);
    out[kk][1] = pack_bf16(y.z, y.w);
  }
}

// Two normalised rows (g, g + 8) as A fragments.
__device__ __forceinline__ void norm_rows(const float4 (&v)[2][8], std::uint32_t gamma, std::uint32_t beta, int t,
                                          std::uint32_t (&out)[8][4]) {
  float mean[2], rstd[2];
  row_moments(v[0], mean[0], rstd[0]);
  row_moments(v[1], mean[1], rstd[1]);
#pragma unroll
  for (int kk = 0; kk < 8; ++kk) {
    const float4 ga = load_shared(gamma + 64 * kk + 16 * t), be = load_shared(beta + 64 * kk + 16 * t);
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const float4 y = normalised(v[r][kk], mean[r], rstd[r], ga, be);
      out[kk][r] = pack_bf16(y.x, y.y);
      out[kk][r + 2] = pack_bf16(y.z, y.w);
    }
  }
}

// Copies Rows rows of Chunks 16-byte chunks into swizzled shared memory (cp.async, not committed).
template <int threads, int Chunks, int Rows>
__device__ __forceinline__ void stage_rows(std::uint32_t dst, const bf16* src, int tid) {
  constexpr int step = threads / Chunks;  // rows at once
  static_assert(threads % Chunks == 0, "");
  const int row = tid / Chunks, c = tid % Chunks;
#pragma unroll
  for (int s = 0; s * step < Rows; ++s) {
    const int r = row + s * step;  // where step is a multiple of 8, r & 7 does not change
    const int key = step % 8 == 0 ? row & 7 : r & 7;
    const bool there = (s + 1) * step <= Rows || r < Rows;
    if (there)
      copy16(dst + r * (Chunks * 16) + ((c ^ key) << 4), src + static_cast<std::size_t>(s) * threads * 8 + tid * 8);
  }
}

// ldmatrix.x4 of swizzled weights. As A (16 rows = the m16, registers a0 .. a3) and as B (16 rows = two n8 blocks,
// registers b0 b1 of the first, b0 b1 of the second): the lane's offset; k-step kk is at (offset ^ kk << 5).
__device__ __forceinline__ std::uint32_t lane_offset_a(int lane, int pitch) {
  return (lane & 15) * pitch + (((lane >> 4) ^ (lane & 7)) << 4);
}
__device__ __forceinline__ std::uint32_t lane_offset_b(int lane, int pitch) {
  return ((lane & 7) + ((lane >> 4) << 3)) * pitch + ((((lane >> 3) & 1) ^ (lane & 7)) << 4);
}

}  // namespace pleat::cuda
