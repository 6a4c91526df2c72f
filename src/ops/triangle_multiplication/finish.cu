#include "ops/cuda/launch.cuh"
#include "ops/cuda/pair_rows.cuh"
#include "ops/triangle_multiplication/kernels.h"

namespace pleat::cuda::triangle_multiplication {
namespace {

// z += (norm_out(x) Wz^T + bz) * sigmoid(norm_in(z) Wg^T + bg).
//   x  [128][stride][stride] bf16 (stride a multiple of 8), read once; z [length, length, 128] fp32, read (once from
//   memory, again from the L2
//      cache for the sum) and written in place
//   w  [2: z, gate][128][128] bf16, each packed with spread rows and columns; bias [2][128] fp32
// Bytes a pair: 256 + 512 read, 512 written; FLOP a pair: 2 * 2 * 128 * 128 = 65536.
// The weights stay in shared memory. Groups groups of four warps work by themselves, each on 64 pairs of a row of z:
// x's 128 x 64 numbers come by cp.async (128 contiguous bytes a channel) one tile ahead into shared memory, from where
// ldmatrix.trans makes A fragments (rows = pairs) of them; both layer norms are done on fragments in registers. One
// barrier of the group (128 threads) a tile. Chunk c (8 pairs) of channel ch is at place c ^ key(ch), key = bits 0, 2,
// 3 of ch, so that the eight channels of a spread k-slot group hit different banks.
template <int Groups>
__global__ void __launch_bounds__(Groups * 128, 1)
    finish_kernel(const bf16* __restrict__ x, float* __restrict__ z, NormPointers norm_in, NormPointers norm_out,
                  const bf16* __restrict__ w, const float* __restrict__ bias, int length, int stride) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
  constexpr bool used = Groups <= 2;  // three groups need an H100's shared memory (and spill elsewhere)
#else
  constexpr bool used = true;
#endif
  if (!used) return;
  constexpr int threads = Groups * 128;
  constexpr int stage_bytes = 128 * 128;  // bytes of a tile of x
  PLEAT_SHARED_MEMORY(shared);
  float* const s_bias = reinterpret_cast<float*>(shared + 65536 + Groups * 2 * stage_bytes);  // [2][128]
  float* const s_norm = s_bias + 256;  // in: gamma, beta; out likewise
  const int tid = threadIdx.x, lane = tid & 31, g = lane >> 2, t = lane & 3;
  const int group = tid >> 7, quarter = (tid >> 5) & 3;
  const std::uint32_t sw = shared_address(shared);
  const std::uint32_t sx = sw + 65536 + group * 2 * stage_bytes, norms = shared_address(s_norm);

  const int across = (length + 63) / 64;
  const int tiles = length * across;
  const auto tile_at = [&](int n) {  // this group's n-th
    return (static_cast<int>(blockIdx.x) + n * static_cast<int>(gridDim.x)) * Groups + (thread_again() >> 7);
  };

  const auto load_x = [&](int at, int stage) {
    const int first = thread_again() & 127, ch = first >> 3, c = first & 7;  // channels ch + 16 s, of the same key
    const int key = (ch & 1) | ((ch >> 1) & 6);
    const int i = at / across, j = (at % across) * 64 + 8 * c;
    const bool valid = j < stride;
    const bf16* src = x + (static_cast<std::size_t>(ch) * stride + i) * stride + (valid ? j : 0);
    const std::uint32_t dst = sx + stage * stage_bytes + ch * 128 + ((c ^ key) << 4);
#pragma unroll
    for (int s = 0; s < 8; ++s, src += static_cast<std::size_t>(16) * stride * stride) {
      copy16(dst + s * (16 * 128), src, valid);
    }
    commit_copies();
  };

  stage_rows<threads, 16, 256>(sw, w, tid);
  commit_copies();
  if (tile_at(0) < tiles) load_x(tile_at(0), 0);
  for (int q = tid; q < 256; q += threads) s_bias[q] = q >= channels ? minus_log2_e * bias[q] : bias[q];
  for (int q = tid; q < channels; q += threads) {
    s_norm[q] = norm_in.weight[q];
    s_norm[channels + q] = norm_in.bias[q];
    s_norm[2 * channels + q] = norm_out.weight[q];
    s_norm[3 * channels + q] = norm_out.bias[q];
  }
  wait_for_copies<0>();
  sync_block();

  // ldmatrix.trans: matrix m = lane / 8: pairs 8 (m & 1) .., slots 8 (m >> 1) ..; its row r = lane % 8 is slot r's
  // channel 4 (r >> 1) + 2 (m >> 1) + (r & 1), whose key is r.
  const int m = lane >> 3, r = lane & 7;
  const std::uint32_t lane_x =
      sx + (4 * (r >> 1) + 2 * (m >> 1) + (r & 1)) * 128 + (((2 * quarter + (m & 1)) ^ r) << 4);
  const std::uint32_t lane_b = sw + lane_offset_b(lane, 256);

  for (int n = 0;; ++n) {
    const int tile = tile_at(n), stage = n & 1;
    if (tile >= tiles) break;
    const int i = tile / across, ja = (tile % across) * 64 + 16 * quarter + g, jb = ja + 8;
    float* const za = z + (static_cast<std::size_t>(i) * length + min(ja, length - 1)) * channels + 4 * t;
    float* const zb = za + (min(jb, length - 1) - min(ja, length - 1)) * channels;
    std::uint32_t y[8][4], xs[8][4];
    {
      float4 v[2][8];
      load_row(v[0], za - 4 * t, t);
      load_row(v[1], zb - 4 * t, t);
      wait_for_copies<0>();
      sync_threads(1 + group, 128);  // x's tile is there, and all have read the one before it
      if (tile_at(n + 1) < tiles) load_x(tile_at(n + 1), stage ^ 1);
      norm_rows(v, norms, norms + 4 * channels, t, y);
#pragma unroll
      for (int kk = 0; kk < 8; ++kk) ldmatrix_transposed(xs[kk], lane_x + stage * stage_bytes + kk * (16 * 128));
    }
    {  // the same layer norm on bf16 words: rows g in words 0 and 2, rows g + 8 in 1 and 3
      float mean[2], rstd[2];
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        float s = 0.0f;
#pragma unroll
        for (int kk = 0; kk < 8; ++kk) {
          s += (bf16_low(xs[kk][h]) + bf16_high(xs[kk][h])) + (bf16_low(xs[kk][h + 2]) + bf16_high(xs[kk][h + 2]));
        }
        s += shuffle_xor(s, 1);
        s += shuffle_xor(s, 2);
        mean[h] = s * (1.0f / channels);
        float q = 0.0f;
#pragma unroll
        for (int kk = 0; kk < 8; ++kk) {
          const float d0 = bf16_low(xs[kk][h]) - mean[h], d1 = bf16_high(xs[kk][h]) - mean[h];
          const float d2 = bf16_low(xs[kk][h + 2]) - mean[h], d3 = bf16_high(xs[kk][h + 2]) - mean[h];
          q += (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3);
        }
        q += shuffle_xor(q, 1);
        q += shuffle_xor(q, 2);
        rstd[h] = inverse_root(q * (1.0f / channels) + norm_eps);
      }
#pragma unroll
      for (int kk = 0; kk < 8; ++kk) {
        const float4 ga = load_shared(norms + 8 * channels + 64 * kk + 16 * t),
                     be = load_shared(norms + 12 * channels + 64 * kk + 16 * t);
#pragma unroll
        for (int h = 0; h < 2; ++h) {
          const float4 v =
              make_float4(bf16_low(xs[kk][h]), bf16_high(xs[kk][h]), bf16_low(xs[kk][h + 2]), bf16_high(xs[kk][h + 2]));
          const float4 u = normalised(v, mean[h], rstd[h], ga, be);
          xs[kk][h] = pack_bf16(u.x, u.y);
          xs[kk][h + 2] = pack_bf16(u.z, u.w);
        }
      }
    }
    float4 old_a = reload(za), old_b = reload(zb);
#pragma unroll 1
    for (int c = 0; c < 8; ++c) {  // 16 channels: this thread's are 16 c + 4 t .. + 3
      const int next = 16 * min(c + 1, 7);
      const float4 next_a = reload(za + next), next_b = reload(zb + next);
      float p[2][4] = {}, q[2][4] = {};
      const std::uint32_t at = lane_b + c * (16 * 256);
#pragma unroll
      for (int kk = 0; kk < 8; ++kk) {
        std::uint32_t wz[4], wg[4];
        ldmatrix_of_weights(wz, at ^ (kk << 5));
        ldmatrix_of_weights(wg, (at ^ (kk << 5)) + 128 * 256);
        mma_add_here(p[0], xs[kk], wz[0], wz[1]);
        mma_add_here(p[1], xs[kk], wz[2], wz[3]);
        mma_add_here(q[0], y[kk], wg[0], wg[1]);
        mma_add_here(q[1], y[kk], wg[2], wg[3]);
      }
      const float4 bz = *reinterpret_cast<const float4*>(s_bias + 16 * c + 4 * t);
      const float4 bg = *reinterpret_cast<const float4*>(s_bias + channels + 16 * c + 4 * t);
#pragma unroll
      for (int h = 0; h < 2; ++h) {  // rows g and g + 8
        float4 u = make_float4(p[0][2 * h] + bz.x, p[0][2 * h + 1] + bz.y, p[1][2 * h] + bz.z, p[1][2 * h + 1] + bz.w);
        gate_two(u.x, u.y, q[0][2 * h], q[0][2 * h + 1], bg.x, bg.y);
        gate_two(u.z, u.w, q[1][2 * h], q[1][2 * h + 1], bg.z, bg.w);
        const float4 old = h == 0 ? old_a : old_b;
        if ((h == 0 ? ja : jb) < length) {
          *reinterpret_cast<float4*>((h == 0 ? za : zb) + 16 * c) =
              make_float4(old.x + u.x, old.y + u.y, old.z + u.z, old.w + u.w);
        }
      }
      old_a = next_a;
      old_b = next_b;
      sync_warp();
    }
  }
}

constexpr int shared_bytes_of(int groups) { return 65536 + groups * 32768 + 1024 + 2048; }

template <int Groups>
cudaError_t finish_groups(const bf16* x, float* z, const Weights& w, int length, const Gpu& gpu, cudaStream_t stream) {
  const std::int64_t tiles = std::int64_t{length} * ((length + 63) / 64);
  const dim3 grid(static_cast<unsigned>(blocks_for(gpu, tiles, Groups)));
  return launch(finish_kernel<Groups>, {grid, Groups * 128, shared_bytes_of(Groups), stream}, x, z, w.norm_in,
                w.norm_out, w.outputs, w.output_biases, length, stride_of(length));
}

}  // namespace

cudaError_t finish(const bf16* x, float* z, const Weights& w, int length, const Gpu& gpu, cudaStream_t stream) {
  return gpu.shared_bytes >= shared_bytes_of(2) ? finish_groups<2>(x, z, w, length, gpu, stream)
                                                : finish_groups<1>(x, z, w, length, gpu, stream);
}

bool suits(const Gpu& gpu) { return gpu.capability >= 80 && gpu.shared_bytes >= shared_bytes_of(1); }

}  // namespace pleat::cuda::triangle_multiplication
