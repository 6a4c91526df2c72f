#include "ops/cuda/launch.cuh"
#include "ops/cuda/pair_rows.cuh"
#include "ops/pair_bias/kernels.h"

namespace pleat::cuda::pair_bias {
namespace {

// bias[h, i, j] = sum over c of norm(z[i, j])[c] W[h, c].
//   z  [length, length, 128] fp32, read once; w [Heads][128] bf16 packed with spread columns, Heads = 4 or a multiple
//   of 16 out [Heads][length][stride] fp32, stride >= length a multiple of 8: columns length .. stride are written as
//   zeros
// Bytes a pair: 512 read, 4 Heads written; FLOP a pair: 2 * 128 * Heads.
// y is the B operand (columns = 32 pairs of a row), the weight is A; here column c of n8 block nb is pair
// 16 (nb / 2) + 4 (c / 2) + 2 (nb % 2) + c % 2, so that a thread has 4 neighbours twice and a quad stores 64 bytes.
template <int Heads>
__global__ void __launch_bounds__(256, 1)
    bias_kernel(const float* __restrict__ z, NormPointers norm, const bf16* __restrict__ w, float* __restrict__ out,
                int length, int stride) {
  constexpr int threads = 256, Warps = threads / 32, Rows = (Heads + 15) / 16 * 16, M = Rows / 16;
  PLEAT_SHARED_MEMORY(shared);
  float* const s_gamma = reinterpret_cast<float*>(shared + Rows * 256);
  float* const s_beta = s_gamma + channels;
  const int tid = threadIdx.x, lane = tid & 31, warp = tid >> 5, g = lane >> 2, t = lane & 3;
  const std::uint32_t sw = shared_address(shared);
  for (int q = tid; q < Rows * 16; q += threads) {  // zeros in the rows that are no head's
    const int row = q >> 4, c = q & 15;
    copy16(sw + row * 256 + ((c ^ (row & 7)) << 4), w + (row < Heads ? static_cast<std::size_t>(q) * 8 : 0),
           row < Heads);
  }
  commit_copies();
  if (tid < channels) {
    s_gamma[tid] = norm.weight[tid];
    s_beta[tid] = norm.bias[tid];
  }
  wait_for_copies<0>();
  sync_block();
  const std::uint32_t lane_a = sw + lane_offset_a(lane, 256);

  const std::uint32_t gamma = shared_address(s_gamma), beta = shared_address(s_beta);
  const int across = (stride + 31) / 32;
  const int items = length * across;
  const int step = gridDim.x * Warps;
  int item = blockIdx.x * Warps + warp;
  const auto row = [&](int at, int nb) {
    const int i = at / across, j0 = (at % across) * 32;
    const int j = min(j0 + 16 * (nb >> 1) + 4 * (g >> 1) + 2 * (nb & 1) + (g & 1), length - 1);
    return z + (static_cast<std::size_t>(i) * length + j) * channels;
  };
  float4 v[2][8];
  if (item < items) {
    load_row(v[0], row(item, 0), t);
    load_row(v[1], row(item, 1), t);
  }
  for (; item < items; item += step) {
    const int i = item / across, j0 = (item % across) * 32, next = item + step < items ? item + step : item;
    std::uint32_t y[4][8][2];  // always 16 rows on their way, the next item's at the end
    norm_column(v[0], gamma, beta, t, y[0]);
    load_row(v[0], row(item, 2), t);
    norm_column(v[1], gamma, beta, t, y[1]);
    load_row(v[1], row(item, 3), t);
    norm_column(v[0], gamma, beta, t, y[2]);
    load_row(v[0], row(next, 0), t);
    norm_column(v[1], gamma, beta, t, y[3]);
    load_row(v[1], row(next, 1), t);
    float sum[M][4][4] = {};
#pragma unroll
    for (int m = 0; m < M; ++m) {
#pragma unroll
      for (int kk = 0; kk < 8; ++kk) {
        std::uint32_t wf[4];
        ldmatrix_of_weights(wf, (lane_a ^ (kk << 5)) + m * (16 * 256));
#pragma unroll
        for (int nb = 0; nb < 4; ++nb) mma_add_here(sum[m][nb], wf, y[nb][kk][0], y[nb][kk][1]);
      }
    }
#pragma unroll
    for (int m = 0; m < M; ++m) {
#pragma unroll
      for (int h = 0; h < 2; ++h) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          const int head = 16 * m + 8 * h + g, j = j0 + 16 * half + 4 * t;
          const float* const s0 = sum[m][2 * half] + 2 * h;
          const float* const s1 = sum[m][2 * half + 1] + 2 * h;
          if (head < Heads && j < stride) {
            *reinterpret_cast<float4*>(out + (static_cast<std::size_t>(head) * length + i) * stride + j) =
                make_float4(j < length ? s0[0] : 0.0f, j + 1 < length ? s0[1] : 0.0f, j + 2 < length ? s1[0] : 0.0f,
                            j + 3 < length ? s1[1] : 0.0f);
          }
        }
      }
    }
    sync_warp();
  }
}

constexpr int shared_bytes_of(int heads) { return (heads + 15) / 16 * 16 * 256 + 1024; }

template <int Heads>
cudaError_t bias_of(const float* z, const Weights& w, float* out, int length, const Gpu& gpu, cudaStream_t stream) {
  const int stride = stride_of(length);
  const std::int64_t items = std::int64_t{length} * ((stride + 31) / 32);
  const dim3 grid(static_cast<unsigned>(blocks_for(gpu, items, 8)));
  return launch(bias_kernel<Heads>, {grid, 256, shared_bytes_of(Heads), stream}, z, w.norm, w.bias, out, length,
                stride);
}

}  // namespace

bool suits(const Gpu& gpu) { return gpu.capability >= 80; }

cudaError_t bias(const float* z, const Weights& w, float* out, int length, const Gpu& gpu, cudaStream_t stream) {
  switch (w.heads) {
    case 4: return bias_of<4>(z, w, out, length, gpu, stream);
    case 32: return bias_of<32>(z, w, out, length, gpu, stream);
    default: return cudaErrorInvalidValue;
  }
}

}  // namespace pleat::cuda::pair_bias
