#include "ops/cuda/launch.cuh"
#include "ops/cuda/pair_rows.cuh"
#include "ops/cuda/wgmma.cuh"
#include "ops/pair_transition/kernels.h"

namespace pleat::cuda::pair_transition {
namespace {

// The same with wgmma (sm_90a only): z, w1, w2, b1, b2 as above. WarpGroups warpgroups of 64 pairs each share the
// weights' slices (three in shared memory: the one being multiplied and two on their way). norm(z) and the hidden are A
// operands in registers, in the same fragment layout as mma.m16n8k16's; a warpgroup reads a slice once for 64 pairs,
// not once for 16. The next tile's z is copied meanwhile, by each thread for itself, into its own places of shared
// memory (with the first four slices), so that only the epilogue is not overlapped.
template <int WarpGroups>
__global__ void __launch_bounds__(128 * WarpGroups, 1)
    transition_kernel(float* __restrict__ z, int pairs, NormPointers norm, const bf16* __restrict__ w1,
                      const float* __restrict__ b1, const bf16* __restrict__ w2, const float* __restrict__ b2) {
  constexpr int threads = 128 * WarpGroups, tile_pairs = 64 * WarpGroups, hidden_channels = 512, stage_bytes = 32768,
                stages = 3;
  PLEAT_SHARED_MEMORY(shared);
  float* const s_b1 = reinterpret_cast<float*>(shared + stages * stage_bytes + tile_pairs * 512);
  float* const s_b2 = s_b1 + hidden_channels;
  float* const s_gamma = s_b2 + channels;
  float* const s_beta = s_gamma + channels;
  const int tid = threadIdx.x, lane = tid & 31, warp = warp_of(tid), g = lane >> 2, t = lane & 3;
  const std::uint32_t ring = shared_address(shared);
  const std::uint32_t own =
      ring + stages * stage_bytes + tid * 16;  // + threads * 16 for each of this thread's 16 pieces

  const auto load_slice = [&](int s, int stage) {  // w1's as two tiles of 64 k's, for the 128-byte swizzle
    const std::uint32_t to = ring + stage * stage_bytes;
    constexpr int step = threads / 16;
    static_assert(step % 8 == 0, "");
    const int row = tid >> 4, c = tid & 15;
    const std::uint32_t w1_to = to + (c >> 3) * 8192 + row * 128 + (((c & 7) ^ (row & 7)) << 4);
#pragma unroll
    for (int k = 0; k * step < 64; ++k) {
      if ((k + 1) * step <= 64 || k * step + row < 64) {
        copy16(w1_to + k * (step * 128), w1 + (s * (64 * channels) + k * (threads * 8) + tid * 8));
      }
    }
    stage_rows<threads, 8, channels>(to + 16384, w2 + s * (channels * 64), tid);
    commit_copies();
  };
  // Row `g + 8 h` of this thread in a tile, clamped.
  const auto row = [&](int tile, int h) {
    return z + static_cast<std::size_t>(min(tile * tile_pairs + warp * 16 + g + 8 * h, pairs - 1)) * channels + 4 * t;
  };
  const auto load_z = [&](int tile, int kk) {
#pragma unroll
    for (int h = 0; h < 2; ++h) copy16(own + (2 * kk + h) * (threads * 16), row(tile, h) + 16 * kk);
  };

  const int tiles = (pairs + tile_pairs - 1) / tile_pairs;
  if (blockIdx.x >= tiles) return;
#pragma unroll
  for (int kk = 0; kk < 8; ++kk) load_z(blockIdx.x, kk);
  commit_copies();
  load_slice(0, 0);
  commit_copies();  // an empty group, in place of a z's, so that the first waits below count like all others
  load_slice(1, 1);
  commit_copies();
  for (int q = tid; q < hidden_channels; q += threads) s_b1[q] = b1[q];
  for (int q = tid; q < channels; q += threads) {
    s_b2[q] = b2[q];
    s_gamma[q] = norm.weight[q];
    s_beta[q] = norm.bias[q];
  }
  wait_for_copies<4>();  // z's part
  sync_block();

  int stage = 0;
  for (int tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    std::uint32_t y[8][4];
    {
      float4 v[2][8];
#pragma unroll
      for (int kk = 0; kk < 8; ++kk) {
#pragma unroll
        for (int h = 0; h < 2; ++h) v[h][kk] = load_shared(own + (2 * kk + h) * (threads * 16));
      }
      norm_rows(v, shared_address(s_gamma), shared_address(s_beta), t, y);
    }
    float sum[64] = {};
    const bool more = tile + gridDim.x < tiles;

#pragma unroll 1
    for (int s = 0; s < 8; ++s) {
      wait_for_copies<3>();  // slice s is there: after it came a z's group, the next slice and another z's group
      fence_for_wgmma_reads();
      sync_block();  // for all; and all have done with the slice before it
      const std::uint32_t at = ring + stage * stage_bytes;
      if (s < 6 || more) {
        load_slice((s + 2) & 7, stage == 0 ? stages - 1 : stage - 1);
      } else {
        commit_copies();
      }
      stage = stage == stages - 1 ? 0 : stage + 1;
      if (more && s < 4) {
        load_z(tile + gridDim.x, 2 * s);
        load_z(tile + gridDim.x, 2 * s + 1);
      }
      commit_copies();
      float hidden[32];
#pragma unroll
      for (int nb = 0; nb < 8; ++nb) {
        const float2 b = *reinterpret_cast<const float2*>(s_b1 + 64 * s + 8 * nb + 2 * t);
        hidden[4 * nb] = hidden[4 * nb + 2] = b.x;
        hidden[4 * nb + 1] = hidden[4 * nb + 3] = b.y;
      }
      const std::uint64_t d1 = wgmma_desc(at), d2 = wgmma_desc(at + 16384);
      hold(hidden);
      wgmma_fence();
#pragma unroll
      for (int kk = 0; kk < 8; ++kk) wgmma_n64(hidden, y[kk], d1 + (kk >> 2) * (8192 >> 4) + (kk & 3) * 2);
      wgmma_commit();
      wgmma_wait<0>();
      hold(hidden);
      std::uint32_t a[4][4];
#pragma unroll
      for (int nn = 0; nn < 4; ++nn) {
#pragma unroll
        for (int q = 0; q < 4; ++q) {
          const int h = 8 * nn + 4 * (q >> 1) + 2 * (q & 1);
          a[nn][q] = pack_bf16(fmaxf(hidden[h], 0.0f), fmaxf(hidden[h + 1], 0.0f));
        }
      }
      hold(a);
      hold(sum);
      wgmma_fence();
#pragma unroll
      for (int nn = 0; nn < 4; ++nn) wgmma_n128(sum, a[nn], d2 + nn * 2);
      wgmma_commit();
      wgmma_wait<0>();
      hold(sum);
    }

#pragma unroll
    for (int h = 0; h < 2; ++h) {
      const bool there = tile * tile_pairs + warp * 16 + g + 8 * h < pairs;
      float* const to = row(tile, h);
      float4 v[8];
#pragma unroll
      for (int n = 0; n < 8; ++n) v[n] = reload(to + 16 * n);
#pragma unroll
      for (int n = 0; n < 8; ++n) {
        const float4 b = *reinterpret_cast<const float4*>(s_b2 + 16 * n + 4 * t);
        const float* const s = sum + 8 * n + 2 * h;
        const float4 u =
            make_float4(v[n].x + (s[0] + b.x), v[n].y + (s[1] + b.y), v[n].z + (s[4] + b.z), v[n].w + (s[5] + b.w));
        if (there) *reinterpret_cast<float4*>(to + 16 * n) = u;
      }
    }
    sync_warp();
  }
}

constexpr int warp_groups = 3;
constexpr int shared_bytes = 3 * 32768 + warp_groups * 32768 + 2048 + 512 + 1024;

}  // namespace

bool suits_wgmma(const Gpu& gpu) { return gpu.capability == 90 && gpu.shared_bytes >= shared_bytes; }

cudaError_t transition_wgmma(float* z, const Weights& w, int pairs, const Gpu& gpu, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>(blocks_for(gpu, pairs, 64 * warp_groups)));
  return launch(transition_kernel<warp_groups>, {grid, 128 * warp_groups, shared_bytes, stream}, z, pairs, w.norm, w.in,
                w.in_bias, w.out, w.out_bias);
}

}  // namespace pleat::cuda::pair_transition
