#include "ops/cuda/launch.cuh"
#include "ops/cuda/pair_rows.cuh"
#include "ops/sequence_to_pair/kernels.h"

namespace pleat::cuda::sequence_to_pair {
namespace {

// z[i, j] += W [q_j * k_i, q_j - k_i] + b.
//   qk   [length, 2 K] fp32: q beside k, K = 64 or 128; w [128, 2 K] bf16 packed with spread rows and columns; b [128]
//   fp32 z    [length, length, 128] fp32, read and written in place
// Bytes a pair: 512 read, 512 written; FLOP a pair: 2 * 2 K * 128 = 32768 for K = 64.
// Products and differences are formed in fp32, rounded to bf16 and are A fragments in registers; the weight stays in
// shared memory. A warp makes 16 neighbouring j's of one i at a time, by itself, and goes on to the next i with the
// same j's (q from the L1 cache).
template <int K>
__global__ void __launch_bounds__(256, 1)
    add_kernel(const float* __restrict__ qk, float* __restrict__ z, const bf16* __restrict__ w,
               const float* __restrict__ bias, int length) {
  constexpr int threads = 256, Warps = threads / 32, P = K / 16;
  PLEAT_SHARED_MEMORY(shared);
  float* const s_bias = reinterpret_cast<float*>(shared + channels * 4 * K);
  const int tid = threadIdx.x, lane = tid & 31, warp = warp_of(tid), g = lane >> 2, t = lane & 3;
  const std::uint32_t sw = shared_address(shared);
  stage_rows<threads, K / 4, channels>(sw, w, tid);
  commit_copies();
  if (tid < channels) s_bias[tid] = bias[tid];
  wait_for_copies<0>();
  sync_block();
  const std::uint32_t lane_b = sw + lane_offset_b(lane, 4 * K);

  const long long items = static_cast<long long>((length + 15) / 16) * length;  // (j's, i), i fastest
  const long long workers = static_cast<long long>(gridDim.x) * Warps, self = blockIdx.x * Warps + warp;
  const int first = static_cast<int>(items * self / workers), last = static_cast<int>(items * (self + 1) / workers);
  const auto row = [&](int item, int h) {
    const int tile = item / length, i = item - tile * length;
    return z + (static_cast<std::size_t>(i) * length + min(16 * tile + g + 8 * h, length - 1)) * channels;
  };
  float4 v[2][8];
  if (first < last) {
    load_row(v[0], row(first, 0), t);
    load_row(v[1], row(first, 1), t);
  }
  for (int item = first; item < last; ++item) {
    float4 next[2][8];  // one item ahead (the last one again)
    load_row(next[0], row(min(item + 1, last - 1), 0), t);
    load_row(next[1], row(min(item + 1, last - 1), 1), t);
    const int tile = item / length, i = item - tile * length;
    const int ja = 16 * tile + g, jb = ja + 8;
    const int ca = min(ja, length - 1), cb = min(jb, length - 1);
    float* const za = row(item, 0);
    float* const zb = row(item, 1);
    std::uint32_t a[2 * P][4];
    {
      const float* const ki = qk + static_cast<std::size_t>(i) * (2 * K) + K + 4 * t;
      const float* const qa = qk + static_cast<std::size_t>(ca) * (2 * K) + 4 * t;
      const float* const qb = qk + static_cast<std::size_t>(cb) * (2 * K) + 4 * t;
#pragma unroll
      for (int kk = 0; kk < P; ++kk) {
        const float4 k = *reinterpret_cast<const float4*>(ki + 16 * kk);
        const float4 x = *reinterpret_cast<const float4*>(qa + 16 * kk);
        const float4 y = *reinterpret_cast<const float4*>(qb + 16 * kk);
        a[kk][0] = pack_bf16(x.x * k.x, x.y * k.y);
        a[kk][1] = pack_bf16(y.x * k.x, y.y * k.y);
        a[kk][2] = pack_bf16(x.z * k.z, x.w * k.w);
        a[kk][3] = pack_bf16(y.z * k.z, y.w * k.w);
        a[P + kk][0] = pack_bf16(x.x - k.x, x.y - k.y);
        a[P + kk][1] = pack_bf16(y.x - k.x, y.y - k.y);
        a[P + kk][2] = pack_bf16(x.z - k.z, x.w - k.w);
        a[P + kk][3] = pack_bf16(y.z - k.z, y.w - k.w);
      }
    }
#pragma unroll
    for (int c = 0; c < 8; ++c) {  // 16 channels
      float p[2][4] = {};
#pragma unroll
      for (int kk = 0; kk < 2 * P; ++kk) {
        std::uint32_t wf[4];
        ldmatrix_of_weights(wf, (lane_b ^ ((kk & 3) << 5)) + (kk >> 2) * 128 + c * (16 * 4 * K));
        mma_add_here(p[0], a[kk], wf[0], wf[1]);
        mma_add_here(p[1], a[kk], wf[2], wf[3]);
      }
      const float4 b = *reinterpret_cast<const float4*>(s_bias + 16 * c + 4 * t);
#pragma unroll
      for (int h = 0; h < 2; ++h) {  // rows g and g + 8
        if ((h == 0 ? ja : jb) < length) {
          *reinterpret_cast<float4*>((h == 0 ? za : zb) + 16 * c + 4 * t) =
              make_float4(v[h][c].x + (p[0][2 * h] + b.x), v[h][c].y + (p[0][2 * h + 1] + b.y),
                          v[h][c].z + (p[1][2 * h] + b.z), v[h][c].w + (p[1][2 * h + 1] + b.w));
        }
      }
    }
    sync_warp();
#pragma unroll
    for (int k = 0; k < 8; ++k) {
      v[0][k] = next[0][k];
      v[1][k] = next[1][k];
    }
  }
}

constexpr int shared_bytes_of(int k) { return channels * 4 * k + 512; }

template <int K>
cudaError_t add_of(const float* qk, float* z, const Weights& w, int length, const Gpu& gpu, cudaStream_t stream) {
  const std::int64_t items = std::int64_t{length} * ((length + 15) / 16);
  const dim3 grid(static_cast<unsigned>(blocks_for(gpu, items, 8)));
  return launch(add_kernel<K>, {grid, 256, shared_bytes_of(K), stream}, qk, z, w.out, w.out_bias, length);
}

}  // namespace

bool suits(const Gpu& gpu) { return gpu.capability >= 80 && gpu.shared_bytes >= shared_bytes_of(most_width); }

cudaError_t add(const float* qk, float* z, const Weights& w, int length, const Gpu& gpu, cudaStream_t stream) {
  switch (w.width) {
    case 64: return add_of<64>(qk, z, w, length, gpu, stream);
    case 128: return add_of<128>(qk, z, w, length, gpu, stream);
    default: return cudaErrorInvalidValue;
  }
}

}  // namespace pleat::cuda::sequence_to_pair
