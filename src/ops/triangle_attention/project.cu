#include "ops/cuda/launch.cuh"
#include "ops/triangle_attention/rows.cuh"

namespace pleat::cuda::triangle_attention {
namespace {

constexpr float query_scale = log2_e * 0.17677669529663688110f;  // log2(e) / sqrt(32)
constexpr float masked_score = -60000.0f;

// z -> q, kv, bias. Persistent; a warp takes 32 pairs (32 in a row of z; for the ending node 4 lines x 8 positions, so
// that z is read in runs of 2 KB and q is written in runs of 512 bytes) and needs no other warp: its z goes through its
// own 16 KB of shared memory, is normalised into A fragments held in registers, and while the 388 output columns are
// computed the next 32 pairs are on their way. Weights (384 + 4 rows of 256 bytes) stay in shared memory; where they
// do not fit (below 160 KB or so) blockIdx.y takes a part of the twelve groups of 32 columns and z is read `parts`
// times.
//   reads  z 512 B/pair; writes q 256, kv 512, bias 8: 1288 B/pair -> 0.429 ns/pair at 3.0 TB/s
//   FLOPs  2 * 128 * 388 = 99.3 k/pair -> 0.126 ns at 790 TFLOP/s; mma.sync at about 2450 FLOP per clock and SM: 0.18
//   ns shared memory: z 512 in and 512 out, weights 97 KB per 32 pairs: 4.1 KB/pair -> 32 of the 99 clocks that an SM
//   has
// Bound by memory: L = 512: 113 us, L = 1024: 450 us. Lengths up to 32767 (32-bit row numbers; offsets are 64-bit).
constexpr int project_rows = 32;
inline int project_shared_bytes(int warps, int parts) {
  return (12 / parts * 32 + 4) * 256 + 2 * channels * 4 + warps * project_rows * 512;
}

template <bool Ending>
__device__ __forceinline__ void project_pair(std::uint32_t tile, std::uint32_t row, std::uint32_t length,
                                             std::uint32_t& line, std::uint32_t& pos, bool& valid) {
  if (Ending) {
    const std::uint32_t lines = (length + 3) / 4;
    const std::uint32_t block = tile / lines;
    line = (tile - block * lines) * 4 + (row >> 3);
    pos = block * 8 + (row & 7);
    valid = line < length && pos < length;
  } else {
    const std::uint32_t pair = tile * project_rows + row;
    line = pair / length;
    pos = pair - line * length;
    valid = line < length;
  }
}

template <bool Ending>
__global__ void __launch_bounds__(256, 1)
    project_kernel(const float* __restrict__ z, Weights w, bf16* __restrict__ q, bf16* __restrict__ kv,
                   fp16* __restrict__ bias, int length, int stride, int parts) {
  PLEAT_SHARED_MEMORY(shared);
  const std::uint32_t n = length;
  const int warps = blockDim.x >> 5, warp = threadIdx.x >> 5, lane = threadIdx.x & 31, g = lane >> 2, t = lane & 3;
  const int groups = 12 / parts, first_group = blockIdx.y * groups;
  const bool with_bias = blockIdx.y == 0;
  float* const gamma = reinterpret_cast<float*>(shared + (groups * 32 + 4) * 256);
  float* const beta = gamma + channels;
  unsigned char* const block = reinterpret_cast<unsigned char*>(beta + channels) + warp * (project_rows * 512);
  const std::uint32_t block_at = shared_address(block);
  const std::uint32_t tiles = Ending ? ((n + 3) / 4) * ((n + 7) / 8) : (n * n + project_rows - 1) / project_rows;

  const auto fetch = [&](std::uint32_t tile) {
    std::uint32_t line0 = 0, pos0 = 0;
    if (Ending) {
      const std::uint32_t lines = (n + 3) / 4;
      pos0 = tile / lines;
      line0 = (tile - pos0 * lines) * 4;
      pos0 *= 8;
    }
#pragma unroll 8
    for (int i = 0; i < project_rows; ++i) {
      std::uint32_t row = i, source;
      bool valid;
      if (Ending) {  // the four lines of a position lie next to each other
        row = (i & 3) * 8 + (i >> 2);
        const std::uint32_t line = line0 + (row >> 3), pos = pos0 + (row & 7);
        valid = line < n && pos < n;
        source = pos * n + line;
      } else {
        source = tile * project_rows + i;
        valid = source < n * n;
      }
      const float* from = valid ? z + static_cast<std::size_t>(source) * channels + lane * 4 : z;
      copy16(block_at + row * 512 + z_chunk(row, lane), from, valid);
    }
  };

  std::uint32_t tile = blockIdx.x * warps + warp;
  const std::uint32_t tile_step = gridDim.x * warps;
  if (tile < tiles) fetch(tile);
  commit_copies();

  const int rows = groups * 32 + (with_bias ? 4 : 0);
  for (int i = threadIdx.x; i < rows * 8; i += blockDim.x) {
    const int row = i >> 3, s = i & 7;
    const bf16* from = w.bias + (row - groups * 32) * channels;
    if (row < groups * 32) {
      const int column = first_group * 32 + row;
      const bf16* const matrix = column < 128 ? w.query : column < 256 ? w.key : w.value;
      from = matrix + (column & 127) * channels;
    }
    weight_chunk(shared + row * 256, row, s, from + 16 * s);
  }
  for (int i = threadIdx.x; i < channels; i += blockDim.x) {
    gamma[i] = w.norm.weight[i];
    beta[i] = w.norm.bias[i];
  }
  if (with_bias) {  // the mask of keys
    const std::uint32_t width = stride - length, total = heads * n * width;
    const bf16 masked = to_fp16(masked_score);
    for (std::uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < total; i += gridDim.x * blockDim.x) {
      const std::uint32_t row = i / width;
      bias[static_cast<std::size_t>(row) * stride + length + (i - row * width)] = masked;
    }
  }
  sync_block();

  const std::uint32_t weight_at = shared_address(shared) + (lane & 7) * 256;
  const std::uint32_t bias_at = shared_address(shared) + (groups * 32 + (lane & 3)) * 256;
  const std::uint32_t place = static_cast<std::uint32_t>((lane >> 3) ^ (lane & 7))
                              << 4;  // of rows whose number is lane & 7
  const std::uint32_t bias_place = static_cast<std::uint32_t>((lane >> 3) ^ (lane & 3))
                                   << 4;  // rows 4 to 7 of Wb do not exist

  for (; tile < tiles; tile += tile_step) {
    wait_for_copies<0>();
    sync_warp();
    std::uint32_t a[2][8][4];
#pragma unroll
    for (int m = 0; m < 2; ++m) {
      float4 x[2][8];
      normalize(block + m * 16 * 512, gamma, beta, g, t, x, a[m]);
    }
    sync_warp();
    if (tile + tile_step < tiles) fetch(tile + tile_step);
    commit_copies();

    std::uint32_t line[4], pos[4], at[4];  // of rows g, g + 8, g + 16, g + 24
    bool valid[4];
#pragma unroll
    for (int r = 0; r < 4; ++r) {
      project_pair<Ending>(tile, g + 8 * r, n, line[r], pos[r], valid[r]);
      at[r] = line[r] * heads * n + pos[r];
    }

#pragma unroll 1
    for (int i = 0; i < groups; ++i) {
      float acc[2][4][4];
#pragma unroll
      for (int m = 0; m < 2; ++m)
#pragma unroll
        for (int j = 0; j < 4; ++j)
#pragma unroll
          for (int c = 0; c < 4; ++c) acc[m][j][c] = 0.0f;
      const std::uint32_t from = weight_at + i * (32 * 256);
#pragma unroll
      for (int s = 0; s < 8; s += 2)
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          std::uint32_t b[4];
          ldmatrix(b, from + j * (8 * 256) + (place ^ (s << 5)));
#pragma unroll
          for (int m = 0; m < 2; ++m) {
            mma_add(acc[m][j], a[m][s], b[0], b[1]);
            mma_add(acc[m][j], a[m][s + 1], b[2], b[3]);
          }
        }
      const int which = (first_group + i) >> 2, head = (first_group + i) & 3;
      const float scale = which == 0 ? query_scale : 1.0f;
      bf16* const to = which == 0 ? q + 8 * t : kv + (which - 1) * head_dim + 8 * t;
      const int width = which == 0 ? head_dim : 2 * head_dim;
#pragma unroll
      for (int r = 0; r < 4; ++r)
        if (valid[r]) {
          const float(&x)[4][4] = acc[r >> 1];
          const int c = (r & 1) * 2;
          const uint4 packed = make_uint4(
              pack_bf16(x[0][c] * scale, x[0][c + 1] * scale), pack_bf16(x[1][c] * scale, x[1][c + 1] * scale),
              pack_bf16(x[2][c] * scale, x[2][c + 1] * scale), pack_bf16(x[3][c] * scale, x[3][c + 1] * scale));
          *reinterpret_cast<uint4*>(to + static_cast<std::size_t>(at[r] + head * n) * width) = packed;
        }
    }
    if (with_bias) {
      float acc[2][4] = {};
#pragma unroll
      for (int s = 0; s < 8; s += 2) {
        std::uint32_t b[4];
        ldmatrix(b, bias_at + (bias_place ^ (s << 5)));
#pragma unroll
        for (int m = 0; m < 2; ++m) {
          mma_add(acc[m], a[m][s], b[0], b[1]);
          mma_add(acc[m], a[m][s + 1], b[2], b[3]);
        }
      }
#pragma unroll
      for (int r = 0; r < 4; ++r)
        if (t < 2 && valid[r])
#pragma unroll
          for (int e = 0; e < 2; ++e) {
            const float x = fminf(fmaxf(acc[r >> 1][(r & 1) * 2 + e] * log2_e, -59000.0f), 59000.0f);
            bias[static_cast<std::size_t>((2 * t + e) * n + line[r]) * stride + pos[r]] = to_fp16(x);
          }
    }
  }
}

template <bool Ending>
cudaError_t project_node(const Buffers& b, const Weights& w, int length, const Gpu& gpu, cudaStream_t stream) {
  int parts = 1;
  int warps = 8;
  for (;; ++parts) {
    if (12 % parts != 0) continue;
    warps = std::min(8, (gpu.shared_bytes - project_shared_bytes(0, parts)) / (project_rows * 512));
    if (warps >= 4 || parts == 12) break;
  }
  const std::int64_t n = length;
  const std::int64_t tiles = Ending ? ((n + 3) / 4) * ((n + 7) / 8) : (n * n + project_rows - 1) / project_rows;
  const dim3 grid(static_cast<unsigned>(blocks_for(gpu, tiles, warps)), static_cast<unsigned>(parts));
  return launch(project_kernel<Ending>, {grid, warps * 32, project_shared_bytes(warps, parts), stream}, b.z, w, b.q,
                b.kv, b.bias, length, stride_of(length), parts);
}

}  // namespace

cudaError_t project(const Buffers& buffers, const Weights& weights, int length, bool ending, const Gpu& gpu,
                    cudaStream_t stream) {
  return ending ? project_node<true>(buffers, weights, length, gpu, stream)
                : project_node<false>(buffers, weights, length, gpu, stream);
}

}  // namespace pleat::cuda::triangle_attention
