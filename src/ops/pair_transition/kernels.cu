#include "ops/cuda/launch.cuh"
#include "ops/cuda/pair_rows.cuh"
#include "ops/pair_transition/kernels.h"

namespace pleat::cuda::pair_transition {
namespace {

// z += relu(norm(z) W1^T + b1) W2^T + b2, 128 -> 512 -> 128.
//   z   [pairs, 128] fp32, read (again from the L2 cache for the sum) and written in place
//   w1  [512][128] bf16 packed with spread columns; w2 packed with spread rows, in slices [8][128][64]
//   b1  [512], b2 [128] fp32
// Bytes a pair: 512 read, 512 written; FLOP a pair: 2 * 2 * 128 * 512 = 262144.
// A block has 16 Tiles Warps pairs, a warp 16 Tiles of them: norm(z) as A fragments in registers, the second product's
// sums (16 Tiles x 128 fp32) in registers, the hidden Together channels at a time: the first product's results are,
// rounded, the second one's A fragments (no shared memory). The weights pass through shared memory in slices of 64
// hidden channels (32 KB), one slice ahead, from the L2 cache: 256 KB a block's tile. Used with 12 warps, 192 pairs, 69
// KB.
template <int Warps, int Tiles = 1, int Together = 16, int Blocks = 1>
__global__ void __launch_bounds__(32 * Warps, Blocks)
    transition_kernel(float* __restrict__ z, int pairs, NormPointers norm, const bf16* __restrict__ w1,
                      const float* __restrict__ b1, const bf16* __restrict__ w2, const float* __restrict__ b2) {
  constexpr int threads = 32 * Warps, tile_pairs = 16 * Tiles * Warps, hidden_channels = 512, stage_bytes = 32768;
  static_assert(Together == 16 || Together == 32, "");
  PLEAT_SHARED_MEMORY(shared);
  float* const s_b1 = reinterpret_cast<float*>(shared + 2 * stage_bytes);
  float* const s_b2 = s_b1 + hidden_channels;
  float* const s_gamma = s_b2 + channels;
  float* const s_beta = s_gamma + channels;
  const int tid = threadIdx.x, lane = tid & 31, t = lane & 3;
  const std::uint32_t ring = shared_address(shared);

  const auto load_slice = [&](int s, int stage) {
    const std::uint32_t to = ring + stage * stage_bytes;
    const int id = thread_again();
    stage_rows<threads, 16, 64>(to, w1 + s * (64 * channels), id);
    stage_rows<threads, 8, channels>(to + 16384, w2 + s * (channels * 64), id);
    commit_copies();
  };

  const int tiles = (pairs + tile_pairs - 1) / tile_pairs;
  if (blockIdx.x >= tiles) return;
  load_slice(0, 0);
  for (int q = tid; q < hidden_channels; q += threads) s_b1[q] = b1[q];
  for (int q = tid; q < channels; q += threads) {
    s_b2[q] = b2[q];
    s_gamma[q] = norm.weight[q];
    s_beta[q] = norm.bias[q];
  }
  sync_block();

  const std::uint32_t lane_1 = ring + lane_offset_b(lane, 256);
  const std::uint32_t lane_2 = ring + 16384 + lane_offset_b(lane, 128);

  for (int tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    const auto first_row = [&](int id) {  // this thread's rows are this and each eighth after it
      return tile * tile_pairs + (id >> 5) * (16 * Tiles) + ((id & 31) >> 2);
    };
    const auto row = [&](int at) { return z + static_cast<std::size_t>(min(at, pairs - 1)) * channels; };
    std::uint32_t y[Tiles][8][4];
#pragma unroll
    for (int m = 0; m < Tiles; ++m) {
      float4 v[2][8];
      load_row(v[0], row(first_row(tid) + 16 * m), t);
      load_row(v[1], row(first_row(tid) + 16 * m + 8), t);
      norm_rows(v, shared_address(s_gamma), shared_address(s_beta), t, y[m]);
    }
    float sum[Tiles][16][4] = {};

#pragma unroll 1
    for (int s = 0; s < 8; ++s) {
      wait_for_copies<0>();
      sync_block();  // slice s is there, and all have done with the one before it
      if (s < 7 || tile + gridDim.x < tiles) load_slice((s + 1) & 7, (s + 1) & 1);
      const std::uint32_t at_1 = lane_1 + (s & 1) * stage_bytes, at_2 = lane_2 + (s & 1) * stage_bytes;
#pragma unroll
      for (int hb = 0; hb < 64 / Together; ++hb) {
        float hidden[Tiles][Together / 8][4];
#pragma unroll
        for (int nb = 0; nb < Together / 8; ++nb) {
          const float2 b = *reinterpret_cast<const float2*>(s_b1 + 64 * s + Together * hb + 8 * nb + 2 * t);
#pragma unroll
          for (int m = 0; m < Tiles; ++m) {
            hidden[m][nb][0] = hidden[m][nb][2] = b.x;
            hidden[m][nb][1] = hidden[m][nb][3] = b.y;
          }
        }
#pragma unroll
        for (int kk = 0; kk < 8; ++kk) {
#pragma unroll
          for (int nn = 0; nn < Together / 16; ++nn) {
            std::uint32_t w[4];
            ldmatrix_of_weights(w, (at_1 ^ (kk << 5)) + (Together * hb + 16 * nn) * 256);
#pragma unroll
            for (int m = 0; m < Tiles; ++m) {
              mma_add_here(hidden[m][2 * nn], y[m][kk], w[0], w[1]);
              mma_add_here(hidden[m][2 * nn + 1], y[m][kk], w[2], w[3]);
            }
          }
        }
        std::uint32_t a[Tiles][Together / 16][4];
#pragma unroll
        for (int m = 0; m < Tiles; ++m) {
#pragma unroll
          for (int nn = 0; nn < Together / 16; ++nn) {
#pragma unroll
            for (int q = 0; q < 4; ++q) {  // row g + 8 (q & 1), hidden channels 16 nn + 8 (q >> 1) + 2 t, + 1
              const float* const h = hidden[m][2 * nn + (q >> 1)];
              a[m][nn][q] = pack_bf16(fmaxf(h[2 * (q & 1)], 0.0f), fmaxf(h[2 * (q & 1) + 1], 0.0f));
            }
          }
        }
#pragma unroll
        for (int n = 0; n < 8; ++n) {
#pragma unroll
          for (int nn = 0; nn < Together / 16; ++nn) {
            std::uint32_t w[4];
            ldmatrix_of_weights(w, (at_2 ^ ((Together / 16 * hb + nn) << 5)) + n * (16 * 128));
#pragma unroll
            for (int m = 0; m < Tiles; ++m) {
              mma_add_here(sum[m][2 * n], a[m][nn], w[0], w[1]);
              mma_add_here(sum[m][2 * n + 1], a[m][nn], w[2], w[3]);
            }
          }
        }
      }
    }

    const int id = thread_again();
#pragma unroll
    for (int k = 0; k < 2 * Tiles; ++k) {
      const int at = first_row(id) + 8 * k;
      const bool there = at < pairs;
      float* const to = row(at) + 4 * (id & 3);
      float4 v[8];
#pragma unroll
      for (int n = 0; n < 8; ++n) v[n] = reload(to + 16 * n);
#pragma unroll
      for (int n = 0; n < 8; ++n) {
        const float4 b = *reinterpret_cast<const float4*>(s_b2 + 16 * n + 4 * (id & 3));
        const float* const s0 = sum[k >> 1][2 * n] + 2 * (k & 1);
        const float* const s1 = sum[k >> 1][2 * n + 1] + 2 * (k & 1);
        const float4 u =
            make_float4(v[n].x + (s0[0] + b.x), v[n].y + (s0[1] + b.y), v[n].z + (s1[0] + b.z), v[n].w + (s1[1] + b.w));
        if (there) *reinterpret_cast<float4*>(to + 16 * n) = u;
      }
    }
    sync_warp();
  }
}

constexpr int shared_bytes = 65536 + 2048 + 512 + 1024;

}  // namespace

bool suits(const Gpu& gpu) { return gpu.capability >= 80 && gpu.shared_bytes >= shared_bytes; }

cudaError_t transition(float* z, const Weights& w, int pairs, const Gpu& gpu, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>(blocks_for(gpu, pairs, 192)));
  return launch(transition_kernel<12>, {grid, 384, shared_bytes, stream}, z, pairs, w.norm, w.in, w.in_bias, w.out,
                w.out_bias);
}

}  // namespace pleat::cuda::pair_transition
