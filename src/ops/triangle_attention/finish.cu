#include "ops/cuda/launch.cuh"
#include "ops/triangle_attention/rows.cuh"

namespace pleat::cuda::triangle_attention {
namespace {

// z += (sigmoid(norm(z) Wg + bg) * o) Wo + bo. Persistent; a warp takes 16 pairs (16 in a row of z; for the ending node
// 4 lines x 4 positions: z in runs of 2 KB, o in runs of 1 KB) and needs no other warp: z and o go through its own 12
// KB of shared memory into registers, the gate's accumulators become the A fragments of the second product where they
// stand, and z is written from the registers it was read into. The gate is computed here and not in project: z is read
// here anyway, and 512 B/pair of gate written and read back are saved for 0.04 ns/pair of matrix work moved.
//   reads  z 512, o 256 B/pair; writes z 512: 1280 B/pair -> 0.427 ns/pair at 3.0 TB/s
//   FLOPs  4 * 128 * 128 = 65.5 k/pair -> 0.083 ns at 790 TFLOP/s, 0.12 by mma.sync; 256 MUFU/pair 0.07 ns
//   shared memory: 64 KB of weights per 16 pairs + 1.5: 5.6 KB/pair -> 0.19 ns
// Bound by memory: L = 512: 112 us, L = 1024: 447 us.
constexpr int finish_rows = 16;
constexpr int finish_warp_bytes = finish_rows * (512 + 256);
inline int finish_shared_bytes(int warps) { return 2 * 128 * 256 + 4 * channels * 4 + warps * finish_warp_bytes; }

// Rows whose addresses are held together while they are fetched. More would spill registers from 12.0 on.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 1200
constexpr int rows_at_once = 4;
#else
constexpr int rows_at_once = 8;
#endif

template <bool Ending>
__global__ void __launch_bounds__(256, 1)
    finish_kernel(float* __restrict__ z, Weights w, const bf16* __restrict__ o, int length) {
  PLEAT_SHARED_MEMORY(shared);
  const std::uint32_t n = length;
  const int warps = blockDim.x >> 5, warp = threadIdx.x >> 5, lane = threadIdx.x & 31, g = lane >> 2, t = lane & 3;
  float* const gamma = reinterpret_cast<float*>(shared + 2 * 128 * 256);
  float* const beta = gamma + channels;
  float* const gate_bias = beta + channels;
  float* const out_bias = gate_bias + channels;
  unsigned char* const block = reinterpret_cast<unsigned char*>(out_bias + channels) + warp * finish_warp_bytes;
  const std::uint32_t block_at = shared_address(block);
  const std::uint32_t lines = (n + 3) / 4;
  const std::uint32_t tiles = Ending ? lines * lines : (n * n + finish_rows - 1) / finish_rows;

  // where row r of a tile lies in z and in o
  const auto place = [&](std::uint32_t line0, std::uint32_t pos0, std::uint32_t tile, std::uint32_t r,
                         std::uint32_t& in_z, std::uint32_t& in_o) {
    if (Ending) {
      const std::uint32_t line = line0 + (r & 3), pos = pos0 + (r >> 2);
      in_z = pos * n + line;
      in_o = line * n + pos;
      return line < n && pos < n;
    }
    in_z = in_o = tile * finish_rows + r;
    return in_z < n * n;
  };
  const auto corner = [&](std::uint32_t tile, std::uint32_t& line0, std::uint32_t& pos0) {
    line0 = pos0 = 0;
    if (Ending) {
      pos0 = tile / lines;
      line0 = (tile - pos0 * lines) * 4;
      pos0 *= 4;
    }
  };
  const auto fetch = [&](std::uint32_t tile) {
    std::uint32_t line0, pos0, in_z, in_o;
    corner(tile, line0, pos0);
#pragma unroll rows_at_once
    for (int r = 0; r < finish_rows; ++r) {
      const bool valid = place(line0, pos0, tile, r, in_z, in_o);
      const float* from = valid ? z + static_cast<std::size_t>(in_z) * channels + lane * 4 : z;
      copy16(block_at + r * 512 + z_chunk(r, lane), from, valid);
    }
#pragma unroll rows_at_once
    for (int i = 0; i < finish_rows; i += 2) {
      // For the ending node two positions of one line, which lie next to each other in o.
      const std::uint32_t r = Ending ? (i >> 3) * 8 + ((i >> 1) & 3) + (lane >> 4) * 4 : i + (lane >> 4);
      const std::uint32_t chunk = lane & 15;
      const bool valid = place(line0, pos0, tile, r, in_z, in_o);
      const bf16* from = valid ? o + static_cast<std::size_t>(in_o) * channels + chunk * 8 : o;
      copy16(block_at + finish_rows * 512 + r * 256 + z_chunk(r, chunk), from, valid);
    }
  };

  std::uint32_t tile = blockIdx.x * warps + warp;
  const std::uint32_t tile_step = gridDim.x * warps;
  if (tile < tiles) fetch(tile);
  commit_copies();

  // Wg: row 32 G + 8 j + 2 t + e holds channel 32 G + 8 t + 2 j + e, so that a lane's gates are 8 channels in a row.
  for (int i = threadIdx.x; i < 128 * 8; i += blockDim.x) {
    const int row = i >> 3, s = i & 7;
    const int channel = (row & ~31) + ((row >> 1) & 3) * 8 + ((row >> 3) & 3) * 2 + (row & 1);
    weight_chunk(shared + row * 256, row, s, w.gate + channel * channels + 16 * s);
  }
  // Wo: row 16 s + 8 b + 2 t + e holds output channel 16 s + 4 t + 2 b + e, where a lane has z; in a row, place
  // 32 G + 16 i + 8 b + 2 t + e holds input channel 32 G + 8 t + 4 i + 2 b + e, where a lane has its gates.
  for (int i = threadIdx.x; i < 128 * 4; i += blockDim.x) {
    const int row = i >> 2, group = i & 3;
    const int channel = (row & ~15) + ((row >> 1) & 3) * 4 + ((row >> 3) & 1) * 2 + (row & 1);
    const uint4* const from = reinterpret_cast<const uint4*>(w.out + channel * channels + 32 * group);
    const uint4 x0 = from[0], x1 = from[1], x2 = from[2], x3 = from[3];
    unsigned char* const to = shared + 128 * 256 + row * 256;
    *reinterpret_cast<uint4*>(to + (((4 * group) ^ (row & 7)) << 4)) = make_uint4(x0.x, x1.x, x2.x, x3.x);
    *reinterpret_cast<uint4*>(to + (((4 * group + 1) ^ (row & 7)) << 4)) = make_uint4(x0.y, x1.y, x2.y, x3.y);
    *reinterpret_cast<uint4*>(to + (((4 * group + 2) ^ (row & 7)) << 4)) = make_uint4(x0.z, x1.z, x2.z, x3.z);
    *reinterpret_cast<uint4*>(to + (((4 * group + 3) ^ (row & 7)) << 4)) = make_uint4(x0.w, x1.w, x2.w, x3.w);
  }
  for (int i = threadIdx.x; i < channels; i += blockDim.x) {
    gamma[i] = w.norm.weight[i];
    beta[i] = w.norm.bias[i];
    gate_bias[i] = w.gate_bias[i];
    out_bias[i] = w.out_bias[i];
  }
  sync_block();

  const std::uint32_t gate_at = shared_address(shared) + (lane & 7) * 256;
  const std::uint32_t out_at = gate_at + 128 * 256;
  const std::uint32_t chunk = static_cast<std::uint32_t>((lane >> 3) ^ (lane & 7)) << 4;

  for (; tile < tiles; tile += tile_step) {
    wait_for_copies<0>();
    sync_warp();
    float4 x[2][8];
    std::uint32_t a[8][4];
    uint4 mixed[2][4];
#pragma unroll
    for (int r = 0; r < 2; ++r)
#pragma unroll
      for (int i = 0; i < 4; ++i)
        mixed[r][i] = *reinterpret_cast<const uint4*>(block + finish_rows * 512 + (g + 8 * r) * 256 +
                                                      z_chunk(g + 8 * r, 4 * i + t));
    normalize(block, gamma, beta, g, t, x, a);
    sync_warp();
    if (tile + tile_step < tiles) fetch(tile + tile_step);
    commit_copies();

    std::uint32_t product[8][4];
#pragma unroll
    for (int i = 0; i < 4; ++i) {  // 32 channels
      float acc[4][4];
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const float2 b = *reinterpret_cast<const float2*>(gate_bias + 32 * i + 8 * t + 2 * j);
        acc[j][0] = acc[j][2] = b.x;
        acc[j][1] = acc[j][3] = b.y;
      }
#pragma unroll
      for (int s = 0; s < 8; s += 2)
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          std::uint32_t b[4];
          ldmatrix(b, gate_at + (i * 32 + j * 8) * 256 + (chunk ^ (s << 5)));
          mma_add(acc[j], a[s], b[0], b[1]);
          mma_add(acc[j], a[s + 1], b[2], b[3]);
        }
#pragma unroll
      for (int j = 0; j < 4; ++j)
#pragma unroll
        for (int r = 0; r < 2; ++r) {
          const uint4& m = mixed[r][i];
          const std::uint32_t pair = j == 0 ? m.x : j == 1 ? m.y : j == 2 ? m.z : m.w;
          const float low = reciprocal(1.0f + exp2_fast(acc[j][2 * r] * -log2_e)) * bf16_low(pair);
          const float high = reciprocal(1.0f + exp2_fast(acc[j][2 * r + 1] * -log2_e)) * bf16_high(pair);
          product[2 * i + (j >> 1)][(j & 1) * 2 + r] = pack_bf16(low, high);
        }
    }

    std::uint32_t line0, pos0, in_z[2], in_o;
    bool valid[2];
    corner(tile, line0, pos0);
#pragma unroll
    for (int r = 0; r < 2; ++r) valid[r] = place(line0, pos0, tile, g + 8 * r, in_z[r], in_o);
#pragma unroll
    for (int i = 0; i < 4; ++i) {  // 32 output channels
      float acc[4][4];
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        const float4 b = *reinterpret_cast<const float4*>(out_bias + 32 * i + 16 * h + 4 * t);
        acc[2 * h][0] = acc[2 * h][2] = b.x;
        acc[2 * h][1] = acc[2 * h][3] = b.y;
        acc[2 * h + 1][0] = acc[2 * h + 1][2] = b.z;
        acc[2 * h + 1][1] = acc[2 * h + 1][3] = b.w;
      }
#pragma unroll
      for (int s = 0; s < 8; s += 2)
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          std::uint32_t b[4];
          ldmatrix(b, out_at + (i * 32 + j * 8) * 256 + (chunk ^ (s << 5)));
          mma_add(acc[j], product[s], b[0], b[1]);
          mma_add(acc[j], product[s + 1], b[2], b[3]);
        }
#pragma unroll
      for (int h = 0; h < 2; ++h)
#pragma unroll
        for (int r = 0; r < 2; ++r)
          if (valid[r]) {
            const float4 old = x[r][2 * i + h];
            const float4 now = make_float4(old.x + acc[2 * h][2 * r], old.y + acc[2 * h][2 * r + 1],
                                           old.z + acc[2 * h + 1][2 * r], old.w + acc[2 * h + 1][2 * r + 1]);
            *reinterpret_cast<float4*>(z + static_cast<std::size_t>(in_z[r]) * channels + 32 * i + 16 * h + 4 * t) =
                now;
          }
    }
  }
}

template <bool Ending>
cudaError_t finish_node(const Buffers& b, const Weights& w, int length, const Gpu& gpu, cudaStream_t stream) {
  const int warps = std::min(8, (gpu.shared_bytes - finish_shared_bytes(0)) / finish_warp_bytes);
  const std::int64_t lines = (std::int64_t{length} + 3) / 4;
  const std::int64_t tiles = Ending ? lines * lines : (std::int64_t{length} * length + finish_rows - 1) / finish_rows;
  const dim3 grid(static_cast<unsigned>(blocks_for(gpu, tiles, warps)));
  return launch(finish_kernel<Ending>, {grid, warps * 32, finish_shared_bytes(warps), stream}, b.z, w, b.o, length);
}

}  // namespace

cudaError_t finish(const Buffers& buffers, const Weights& weights, int length, bool ending, const Gpu& gpu,
                   cudaStream_t stream) {
  return ending ? finish_node<true>(buffers, weights, length, gpu, stream)
                : finish_node<false>(buffers, weights, length, gpu, stream);
}

}  // namespace pleat::cuda::triangle_attention
