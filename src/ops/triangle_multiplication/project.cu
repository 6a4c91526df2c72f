#include "ops/cuda/launch.cuh"
#include "ops/cuda/pair_rows.cuh"
#include "ops/triangle_multiplication/kernels.h"

namespace pleat::cuda::triangle_multiplication {
namespace {

constexpr int many_threads = 384;
constexpr int few_threads = 256;

// a = sigmoid(y Wag^T + bag) * (y Wap^T + bap), b likewise, y = norm(z).
//   z    [length, length, 128] fp32, read once with Outs = 2; with Outs = 1 a launch makes one of a and b and z is read
//   twice, for
//        devices where a block has less than 132 KB of shared memory
//   w    [Outs][2: projection, gate][128][128] bf16, each packed with spread columns; bias [Outs][2][128] fp32
//   out  [Outs][128][stride][stride] bf16, stride = length rounded up to a multiple of 8: every element is written,
//   zeros outside length x length,
//        so that the products may run over stride and are aligned for any length
// Bytes a pair: 512 read, 512 written; FLOP a pair: 4 * 2 * 128 * 128 = 131072.
// The weights stay in shared memory. A warp makes 32 pairs of a row of z by itself, without a barrier: y in registers
// as the B operand (columns = pairs), weights as A (rows = channels), so that a thread's results are of one channel and
// neighbouring pairs: column c of n8 block nb is pair 8 (c / 2) + 2 nb + c % 2, and a thread has 8 neighbouring pairs,
// a store of 16 bytes (a quad's: 64 contiguous bytes) into the channel-major output; no transposition is needed.
template <int Outs, int Threads>
__global__ void __launch_bounds__(Threads, 1)
    project_kernel(const float* __restrict__ z, NormPointers norm, const bf16* __restrict__ w,
                   const float* __restrict__ bias, bf16* __restrict__ out, int length, int stride) {
#ifdef __CUDA_ARCH__
  // From 10.0 on ptxas spills registers with 12 warps, which a processor gives 168 each; before it does not.
  if ((__CUDA_ARCH__ >= 1000) != (Threads == few_threads)) return;
#endif
  PLEAT_SHARED_MEMORY(shared);
  float* const s_bias = reinterpret_cast<float*>(shared + Outs * 65536);  // [Outs][2][128]
  float* const s_gamma = s_bias + Outs * 256;
  float* const s_beta = s_gamma + channels;
  const int tid = threadIdx.x, lane = tid & 31, warp = warp_of(tid), g = lane >> 2, t = lane & 3;
  const std::uint32_t sw = shared_address(shared);

  stage_rows<Threads, 16, Outs * 256>(sw, w, tid);
  commit_copies();
  for (int q = tid; q < Outs * 256; q += Threads) s_bias[q] = (q & channels) != 0 ? minus_log2_e * bias[q] : bias[q];
  if (tid < channels) {
    s_gamma[tid] = norm.weight[tid];
    s_beta[tid] = norm.bias[tid];
  }
  sync_block();

  const std::uint32_t gamma = shared_address(s_gamma), beta = shared_address(s_beta);
  const int across = (stride + 31) / 32;  // items of 32 pairs in a row
  const int items = stride * across, step = gridDim.x * (Threads / 32);
  int item = blockIdx.x * (Threads / 32) + warp;
  std::uint32_t y[4][8][2];

  const auto load = [&](int at) {
    const int i = min(at / across, length - 1), j0 = (at % across) * 32;
    const float* const line = z + static_cast<std::size_t>(i) * length * channels;
    const auto row = [&](int nb) {
      return line + static_cast<std::size_t>(min(j0 + 8 * (g >> 1) + 2 * nb + (g & 1), length - 1)) * channels;
    };
    float4 v[2][8];
    load_row(v[0], row(0), t);
    load_row(v[1], row(1), t);
    norm_column(v[0], gamma, beta, t, y[0]);
    load_row(v[0], row(2), t);
    norm_column(v[1], gamma, beta, t, y[1]);
    norm_column(v[0], gamma, beta, t, y[2]);
    load_row(v[0], row(3), t);
    norm_column(v[0], gamma, beta, t, y[3]);
  };

  if (item < items) load(item);
  wait_for_copies<0>();
  sync_block();

  const std::uint32_t lane_a = sw + lane_offset_a(lane, 256);
  while (item < items) {
    const int i = item / across, j0 = (item % across) * 32;
    const int have = i < length ? length - j0 : 0;  // pairs from here on that exist
    const bool store = j0 + 8 * t < stride;
    const std::size_t plane = static_cast<std::size_t>(stride) * stride;
    bf16* dst = out + g * plane + static_cast<std::size_t>(i) * stride + j0 + 8 * t;
#pragma unroll 1
    for (int oc = 0; oc < Outs * 8; ++oc, dst += 16 * plane) {  // 16 channels of a or b
      const int first = (oc >> 3) * 256 + (oc & 7) * 16;        // the projection's rows; the gate's are 128 further
      const std::uint32_t at = lane_a + first * 256;
      float p[4][4] = {}, q[4][4] = {};
#pragma unroll
      for (int kk = 0; kk < 8; ++kk) {
        std::uint32_t wp[4], wq[4];
        ldmatrix_of_weights(wp, at ^ (kk << 5));
        ldmatrix_of_weights(wq, (at ^ (kk << 5)) + 128 * 256);
#pragma unroll
        for (int nb = 0; nb < 4; ++nb) {
          mma_add_here(p[nb], wp, y[nb][kk][0], y[nb][kk][1]);
          mma_add_here(q[nb], wq, y[nb][kk][0], y[nb][kk][1]);
        }
      }
#pragma unroll
      for (int h = 0; h < 2; ++h) {  // channels g and g + 8
        const float bp = s_bias[first + g + 8 * h], bg = s_bias[first + channels + g + 8 * h];
        std::uint32_t word[4];
#pragma unroll
        for (int nb = 0; nb < 4; ++nb) {
          float v0 = p[nb][2 * h] + bp, v1 = p[nb][2 * h + 1] + bp;
          gate_two(v0, v1, q[nb][2 * h], q[nb][2 * h + 1], bg, bg);
          word[nb] = pack_bf16(v0, v1);
        }
        if (have < 32) {
#pragma unroll
          for (int nb = 0; nb < 4; ++nb) {
            const int j = 8 * t + 2 * nb;
            if (j >= have) word[nb] = 0;
            if (j + 1 >= have) word[nb] &= 0xffffu;
          }
        }
        if (store) {
          *reinterpret_cast<uint4*>(dst + h * 8 * plane) = make_uint4(word[0], word[1], word[2], word[3]);
        }
      }
    }
    sync_warp();
    item += step;
    if (item < items) load(item);
  }
}

constexpr int shared_bytes_of(int outs) { return outs * 65536 + outs * 1024 + 1024; }

template <int Outs, int Threads>
cudaError_t project_by(const float* z, NormPointers norm, const bf16* w, const float* bias, bf16* out, int length,
                       const Gpu& gpu, cudaStream_t stream) {
  const int stride = stride_of(length);
  const std::int64_t items = std::int64_t{stride} * ((stride + 31) / 32);
  const dim3 grid(static_cast<unsigned>(blocks_for(gpu, items, Threads / 32)));
  return launch(project_kernel<Outs, Threads>, {grid, Threads, shared_bytes_of(Outs), stream}, z, norm, w, bias, out,
                length, stride);
}

template <int Outs>
cudaError_t project_some(const float* z, NormPointers norm, const bf16* w, const float* bias, bf16* out, int length,
                         const Gpu& gpu, cudaStream_t stream) {
  return gpu.capability >= 100 ? project_by<Outs, few_threads>(z, norm, w, bias, out, length, gpu, stream)
                               : project_by<Outs, many_threads>(z, norm, w, bias, out, length, gpu, stream);
}

}  // namespace

cudaError_t project(const float* z, const Weights& w, bf16* ab, int length, const Gpu& gpu, cudaStream_t stream) {
  if (gpu.shared_bytes >= shared_bytes_of(2)) {
    return project_some<2>(z, w.norm_in, w.projections, w.projection_biases, ab, length, gpu, stream);
  }
  const std::size_t half = std::size_t{channels} * stride_of(length) * stride_of(length);
  const cudaError_t first = project_some<1>(z, w.norm_in, w.projections, w.projection_biases, ab, length, gpu, stream);
  if (first != cudaSuccess) return first;
  return project_some<1>(z, w.norm_in, w.projections + 2 * channels * channels, w.projection_biases + 2 * channels,
                         ab + half, length, gpu, stream);
}

}  // namespace pleat::cuda::triangle_multiplication
