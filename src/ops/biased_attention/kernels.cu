#include "ops/biased_attention/kernels.h"
#include "ops/cuda/half_rows.cuh"
#include "ops/cuda/launch.cuh"

namespace pleat::cuda::biased {
namespace {

// A block has 64 queries of a head, a warp 16 of them. Keys and values come in tiles of 64, and the next tile is
// prefetched. Each thread reads the bias of the scores that it has in registers. The softmax keeps a running maximum.
//   reads the bias once, 4 bytes a pair and head: 32 heads, L = 1024: 134 MB -> 45 us at 3.0 TB/s, which bounds it
//   (exponentials at 16 a clock and SM: 9 us)
constexpr int queries = 64;
constexpr int tile = 64;
constexpr int threads = 128;
constexpr int part_bytes = tile * 64;  // keys or values of a tile, or queries
constexpr int stage_bytes = 2 * part_bytes;
constexpr int shared_bytes = part_bytes + 2 * stage_bytes;
static_assert(queries == tile, "loaded in the same way");

__global__ void __launch_bounds__(threads) attend_kernel(Operands operands) {
  PLEAT_SHARED_MEMORY(shared);
  const std::uint32_t base = shared_address(shared);
  const int tid = threadIdx.x, warp = warp_of(tid), lane = tid & 31, g = lane >> 2, t = lane & 3;
  const int head = blockIdx.y, first = blockIdx.x * queries, length = operands.length;
  const int row_numbers = operands.heads * 3 * head_dim;

  // Rows [begin, begin + 64) of queries (0), keys (1) or values (2); zeros beyond the last.
  const auto load = [&](int part, int begin, std::uint32_t to) {
#pragma unroll
    for (int i = tid; i < tile * 4; i += threads) {
      const int row = i >> 2, chunk = i & 3;
      copy16(
          to + half_row(row, chunk),
          operands.qkv + static_cast<std::size_t>(begin + row) * row_numbers + (head * 3 + part) * head_dim + chunk * 8,
          begin + row < length);
    }
  };
  const auto load_tile = [&](int begin, int stage) {
    load(1, begin, base + part_bytes + stage * stage_bytes);
    load(2, begin, base + 2 * part_bytes + stage * stage_bytes);
    commit_copies();
  };

  load(0, first, base);
  load_tile(0, 0);

  // ldmatrix: lane l gives the address of row l & 7 of matrix l >> 3
  const int matrix = lane >> 3, in_matrix = lane & 7;
  std::uint32_t query[2][4] = {};
  float out[4][4] = {}, largest[2] = {-INFINITY, -INFINITY}, total[2] = {};
  const float scale = 0.176776695296636881f * log2_e;  // 1 / sqrt(head_dim), for powers of two
  const float* bias[2];  // of this lane's two rows; rows beyond the last read the last one's
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    const int row = min(first + 16 * warp + 8 * r + g, length - 1);
    bias[r] = operands.bias + head * operands.bias_head + row * operands.bias_row;
  }

  int stage = 0;
  for (int begin = 0; begin < length; begin += tile) {
    const bool is_last = begin + tile >= length;
    if (!is_last) load_tile(begin + tile, stage ^ 1);
    // The bias is on its way while the tile is waited for.
    float score[8][4];
#pragma unroll
    for (int n = 0; n < 8; ++n)
#pragma unroll
      for (int c = 0; c < 4; ++c) {
        const int key = begin + 8 * n + 2 * t + (c & 1);
        score[n][c] = key < length ? bias[c >> 1][key] * log2_e : -INFINITY;
      }
    if (is_last)
      wait_for_copies<0>();
    else
      wait_for_copies<1>();
    sync_block();
    if (begin == 0) {
#pragma unroll
      for (int s = 0; s < 2; ++s)
        ldmatrix(query[s], base + half_row(16 * warp + (matrix & 1) * 8 + in_matrix, 2 * s + (matrix >> 1)));
    }

    const std::uint32_t keys_at = base + part_bytes + stage * stage_bytes, values_at = keys_at + part_bytes;
    float top[2] = {largest[0], largest[1]};
#pragma unroll
    for (int n = 0; n < 8; ++n) {
      std::uint32_t key[4];
      ldmatrix(key, keys_at + half_row(8 * n + in_matrix, matrix));
      float product[4] = {};
      mma_add(product, query[0], key[0], key[1]);
      mma_add(product, query[1], key[2], key[3]);
#pragma unroll
      for (int c = 0; c < 4; ++c) {
        score[n][c] += product[c] * scale;
        top[c >> 1] = fmaxf(top[c >> 1], score[n][c]);
      }
    }
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      top[r] = fmaxf(top[r], shuffle_xor(top[r], 1));
      top[r] = fmaxf(top[r], shuffle_xor(top[r], 2));
      const float shrink = exp2_fast(largest[r] - top[r]);
      largest[r] = top[r];
      total[r] *= shrink;
#pragma unroll
      for (int d = 0; d < 4; ++d) {
        out[d][2 * r] *= shrink;
        out[d][2 * r + 1] *= shrink;
      }
    }
#pragma unroll
    for (int s = 0; s < 4; ++s) {  // 16 keys
      std::uint32_t weight[4];
#pragma unroll
      for (int half = 0; half < 2; ++half)
#pragma unroll
        for (int r = 0; r < 2; ++r) {
          const float low = exp2_fast(score[2 * s + half][2 * r] - largest[r]);
          const float high = exp2_fast(score[2 * s + half][2 * r + 1] - largest[r]);
          total[r] += low + high;
          weight[2 * half + r] = pack_bf16(low, high);
        }
#pragma unroll
      for (int d = 0; d < 2; ++d) {  // 16 of the head's dimensions
        std::uint32_t value[4];
        ldmatrix_transposed(value, values_at + half_row(16 * s + (matrix & 1) * 8 + in_matrix, 2 * d + (matrix >> 1)));
        mma_add(out[2 * d], weight, value[0], value[1]);
        mma_add(out[2 * d + 1], weight, value[2], value[3]);
      }
    }
    sync_block();  // the tile has been read
    stage ^= 1;
  }

#pragma unroll
  for (int r = 0; r < 2; ++r) {
    float sum = total[r] + shuffle_xor(total[r], 1);
    sum += shuffle_xor(sum, 2);
    const float inverse = reciprocal(sum);  // of at least 1
    const int row = first + 16 * warp + 8 * r + g;
    if (row >= length) continue;
    const std::size_t at = static_cast<std::size_t>(row) * operands.heads * head_dim + head * head_dim + 2 * t;
#pragma unroll
    for (int d = 0; d < 4; ++d) {
      float low = out[d][2 * r] * inverse, high = out[d][2 * r + 1] * inverse;
      if (operands.gate != nullptr) {
        const std::uint32_t gate = *reinterpret_cast<const std::uint32_t*>(operands.gate + at + 8 * d);
        low *= reciprocal(1.0f + exp2_fast(-log2_e * bf16_low(gate)));
        high *= reciprocal(1.0f + exp2_fast(-log2_e * bf16_high(gate)));
      }
      *reinterpret_cast<std::uint32_t*>(operands.out + at + 8 * d) = pack_bf16(low, high);
    }
  }
}

}  // namespace

bool suits(const Gpu& gpu) { return gpu.capability >= 80; }

cudaError_t attend(const Operands& operands, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>((operands.length + queries - 1) / queries),
                  static_cast<unsigned>(operands.heads));
  return launch(attend_kernel, {grid, threads, shared_bytes, stream}, operands);
}

}  // namespace pleat::cuda::biased
