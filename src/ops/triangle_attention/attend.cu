#include "ops/cuda/launch.cuh"
#include "ops/triangle_attention/attend.cuh"

namespace pleat::cuda::triangle_attention {
namespace {

template <int Keys, int Stages>
__global__ void __launch_bounds__(256, 1)
    attend_kernel(const bf16* __restrict__ q, const bf16* __restrict__ kv, const fp16* __restrict__ bias,
                  bf16* __restrict__ o, int length, int stride) {
  using Shape = AttendShape<Keys, Stages>;
  constexpr int steps = Keys / 16;
  PLEAT_SHARED_MEMORY(shared);
  const std::uint32_t base = shared_address(shared);
  const int tid = threadIdx.x, warp = tid >> 5, lane = tid & 31, g = lane >> 2, t = lane & 3;
  const int my_line = warp >> 1, my_queries = (warp & 1) * 64;
  const int tiles = stride / Keys;
  const int blocks = (length + Shape::queries - 1) / Shape::queries;
  const int items = (length + Shape::lines - 1) / Shape::lines * heads * blocks;

  struct Item {
    int line, head, query;
  };
  const auto decode = [&](int number) {  // from the last lines on: project's last results may still be in L2
    const int item = items - 1 - number;
    const int rest = item / blocks;
    return Item{rest / heads * Shape::lines, rest % heads, (item - rest * blocks) * Shape::queries};
  };

  // Lines beyond the last repeat the last one (their warps stand idle); queries and keys beyond the last are zeros.
  const auto load_queries = [&](int number) {
    if (number >= items) return;
    const Item item = decode(number);
    const int chunk = tid & 3, query = item.query + (tid >> 2);
    const bf16* from =
        q + ((static_cast<std::size_t>(item.line) * heads + item.head) * length + query) * head_dim + chunk * 8;
    const std::uint32_t to = base + half_row(tid >> 2, chunk);
    const bool valid[2] = {query < length, query + 64 < length};
#pragma unroll
    for (int line = 0; line < Shape::lines; ++line) {
      if (line > 0) from += item.line + line < length ? length * (heads * head_dim) : 0;
      copy16(to + line * (Shape::queries * 64), from, valid[0]);
      copy16(to + line * (Shape::queries * 64) + 64 * 64, from + 64 * head_dim, valid[1]);
    }
  };

  // Loads go one tile, one group at a time, in the order of use.
  constexpr int bias_chunks = Keys / 8, bias_rows = 256 / bias_chunks;  // places in a row of bias; rows at a time
  int load_number = blockIdx.x, load_tile = 0, load_slot = 0;
  Item load_item;
  const bf16* load_kv;  // this thread's first part of the tile
  const fp16* load_bias;
  const auto load_begin = [&] {
    load_item = decode(load_number);
    load_kv =
        kv +
        ((static_cast<std::size_t>(load_item.line) * heads + load_item.head) * length + (tid >> 3)) * (2 * head_dim) +
        (tid & 7) * 8;
    load_bias = bias +
                (static_cast<std::size_t>(load_item.head) * length + load_item.query + tid / bias_chunks) * stride +
                (tid & (bias_chunks - 1)) * 8;
  };
  const std::uint32_t kv_place = Shape::query_bytes + (tid >> 3) * 128 + (((tid & 7) ^ ((tid >> 3) & 7)) << 4);
  const std::uint32_t bias_to =
      Shape::query_bytes + Shape::kv_bytes +
      (Keys == 64 ? (tid >> 3) * 128 + (((tid & 7) ^ ((tid >> 3) & 7)) << 4) : half_row(tid >> 2, tid & 3));
  const auto load_next = [&] {
    if (load_number < items) {
      const std::uint32_t slot_at = base + load_slot * Shape::stage_bytes;
      {
        const int key = load_tile * Keys + (tid >> 3);
        const bf16* from = load_kv;
#pragma unroll
        for (int line = 0; line < Shape::lines; ++line) {
          if (line > 0) from += load_item.line + line < length ? length * (heads * 2 * head_dim) : 0;
#pragma unroll
          for (int part = 0; part < Keys / 32; ++part)
            copy16(slot_at + kv_place + (line * Keys + part * 32) * 128, from + part * (32 * 2 * head_dim),
                   key + part * 32 < length);
        }
      }
      {
        const int query = load_item.query + tid / bias_chunks;
        const bf16* from = load_bias;
#pragma unroll
        for (int part = 0; part < Shape::queries / bias_rows; ++part) {
          if (part > 0) from += bias_rows * stride;
          copy16(slot_at + bias_to + part * (bias_rows * Keys * 2), from, query + part * bias_rows < length);
        }
      }
      load_kv += Keys * 2 * head_dim;
      load_bias += Keys;
      load_slot = load_slot + 1 == Stages ? 0 : load_slot + 1;
      if (++load_tile == tiles) {
        load_tile = 0;
        load_number += gridDim.x;
        load_begin();
      }
    }
    commit_copies();
  };

  load_begin();
  if (static_cast<int>(blockIdx.x) < items) load_queries(blockIdx.x);
  for (int i = 0; i < Stages - 1; ++i) load_next();

  // ldmatrix: lane l gives the address of row l & 7 of matrix l >> 3
  const int matrix = lane >> 3, in_matrix = lane & 7;
  const std::uint32_t key_lane = my_line * (Keys * 128) + in_matrix * 128 + ((matrix ^ in_matrix) << 4);
  const std::uint32_t value_lane =
      my_line * (Keys * 128) + ((matrix & 1) * 8 + in_matrix) * 128 + (((4 + (matrix >> 1)) ^ in_matrix) << 4);
  const int bias_row = my_queries + (matrix & 1) * 8 + in_matrix;
  const std::uint32_t bias_lane = Shape::kv_bytes + (Keys == 64 ? bias_row * 128 : (bias_row >> 1) * 128);
  const std::uint32_t bias_place = Keys == 64
                                       ? ((matrix >> 1) ^ in_matrix) << 4
                                       : ((((in_matrix & 1) << 2) | (matrix >> 1)) ^ ((in_matrix >> 1) & 3)) << 4;
  const std::uint32_t identity = (2 * t == g ? 0x3c00u : 0u) | (2 * t + 1 == g ? 0x3c000000u : 0u);

  int slot = 0;
  for (int number = blockIdx.x; number < items; number += gridDim.x) {
    const Item item = decode(number);
    // Every warp, once for each tile: its data are there, the last tile's slot is free.
    const auto enter = [&](int tile) {
      if (tile == 0)
        wait_for_copies<0>();
      else
        wait_for_copies<Stages - 2>();
      sync_block();
      if (tile == 1) load_queries(number + gridDim.x);  // this item's have been read
      load_next();
    };
    const auto next_slot = [&](int s) { return s + 1 == Stages ? 0 : s + 1; };

    if (item.line + my_line >= length || item.query + my_queries >= length) {
      for (int tile = 0; tile < tiles; ++tile) {
        enter(tile);
        slot = next_slot(slot);
      }
      continue;
    }

    enter(0);
    std::uint32_t query[2][2][2][4];  // [half][16 rows][k step]
#pragma unroll
    for (int half = 0; half < 2; ++half)
#pragma unroll
      for (int m = 0; m < 2; ++m)
#pragma unroll
        for (int s = 0; s < 2; ++s) {
          const std::uint32_t row =
              my_line * Shape::queries + my_queries + half * 32 + m * 16 + (matrix & 1) * 8 + in_matrix;
          ldmatrix(query[half][m][s], base + half_row(row, 2 * s + (matrix >> 1)));
        }

    float out[2][2][4][4], total[2][2][2], minus_max[2][2][4], score[2][2][2][4], sum[2][2][2], early[2][4];
    std::uint32_t weight[2][2][4], key[2][4], value[2][4], bias_part[2][4];
#pragma unroll
    for (int half = 0; half < 2; ++half)
#pragma unroll
      for (int m = 0; m < 2; ++m) {
#pragma unroll
        for (int d = 0; d < 4; ++d)
#pragma unroll
          for (int c = 0; c < 4; ++c) out[half][m][d][c] = 0.0f;
        total[half][m][0] = total[half][m][1] = sum[half][m][0] = sum[half][m][1] = 0.0f;
        // Zero, but of unequal origin: the four are one operand of the matrix unit and want registers of their own.
#pragma unroll
        for (int c = 0; c < 4; ++c)
          minus_max[half][m][c] = as_float(static_cast<std::uint32_t>(length) >> (16 + half * 8 + m * 4 + c));
#pragma unroll
        for (int c = 0; c < 4; ++c) weight[half][m][c] = 0;
#pragma unroll
        for (int j = 0; j < 2; ++j)
#pragma unroll
          for (int c = 0; c < 4; ++c) score[half][m][j][c] = 0.0f;
      }
#pragma unroll
    for (int d = 0; d < 2; ++d)
#pragma unroll
      for (int c = 0; c < 4; ++c) value[d][c] = 0;

    std::uint32_t at = base + Shape::query_bytes + slot * Shape::stage_bytes;
    const auto load_keys = [&](std::uint32_t from, int step) {
      ldmatrix(key[0], from + key_lane + step * 2048);
      ldmatrix(key[1], from + key_lane + step * 2048 + 1024);
    };
    const auto load_bias_part = [&](std::uint32_t from, int step, int half) {
      const std::uint32_t first = from + bias_lane + half * (32 * Keys * 2) + (bias_place ^ (step << 5));
      ldmatrix(bias_part[0], first);
      ldmatrix(bias_part[1], first + 16 * Keys * 2);
    };
    // A half's step must be settled before its weights meet the values. The question is put before the other half's
    // first exponentials and answered after them. A loop, though it runs at most once: the compiler would move the
    // exponentials behind a mere branch.
    const auto unsettled = [&](int half, bool first) { return any_in_warp(first || attend_overflows(sum[half])); };
    const auto settle = [&](int half, bool first, bool rescale) {
      while (rescale) {
        attend_rescale(first, score[half], weight[half], sum[half], minus_max[half], total[half], out[half]);
        first = false;
        rescale = unsettled(half, false);
      }
#pragma unroll
      for (int m = 0; m < 2; ++m) {
        total[half][m][0] += sum[half][m][0];
        total[half][m][1] += sum[half][m][1];
      }
    };

    load_keys(at, 0);
    load_bias_part(at, 0, 0);
#pragma unroll
    for (int m = 0; m < 2; ++m)
#pragma unroll
      for (int j = 0; j < 2; ++j) {
        mma(score[0][m][j], query[0][m][0], key[j][0], key[j][1], minus_max[0][m]);
        mma_add(score[0][m][j], query[0][m][1], key[j][2], key[j][3]);
        mma_add_fp16(score[0][m][j], bias_part[m][2 * j], bias_part[m][2 * j + 1], identity);
      }

    int tile = 0, step = 0, done = 0;
    bool last = false;
#pragma unroll 1
    while (true) {
      // The first half: values of the last step, exponentials of this one; beside them the second half's scores.
      load_bias_part(at, step, 1);
      const bool rescale1 = unsettled(1, done == 1);
      attend_values(out[0], weight[0], value, score[0], early);
      settle(1, done == 1, rescale1);
      attend_scores(score[1], query[1], minus_max[1], key, bias_part, identity, score[0], early, weight[0], sum[0]);
      // The second half likewise; beside it the first half's scores of the next step (after the last one: of keys that
      // are there, for nothing).
      const bool boundary = step + 1 == steps;
      const std::uint32_t value_at = at + value_lane + step * 2048;
      const bool rescale0 = unsettled(0, done == 0);
      if (!boundary) load_keys(at, step + 1);
      attend_values(out[1], weight[1], value, score[1], early);
      ldmatrix_transposed(value[0], value_at);
      ldmatrix_transposed(value[1], value_at ^ 32);
      ++step;
      if (boundary) {
        step = 0;
        last = ++tile == tiles;
        slot = next_slot(slot);
        if (!last) {
          enter(tile);
          at = base + Shape::query_bytes + slot * Shape::stage_bytes;
        }
        load_keys(at, 0);
      }
      load_bias_part(at, step, 0);
      settle(0, done == 0, rescale0);
      attend_scores(score[0], query[0], minus_max[0], key, bias_part, identity, score[1], early, weight[1], sum[1]);
      ++done;
      if (last) break;
    }
    settle(1, false, unsettled(1, false));
#pragma unroll
    for (int half = 0; half < 2; ++half)
#pragma unroll
      for (int m = 0; m < 2; ++m)
#pragma unroll
        for (int d = 0; d < 4; ++d)
          mma_add(out[half][m][d], weight[half][m], value[d >> 1][(d & 1) * 2], value[d >> 1][(d & 1) * 2 + 1]);

#pragma unroll
    for (int half = 0; half < 2; ++half)
#pragma unroll
      for (int m = 0; m < 2; ++m)
#pragma unroll
        for (int r = 0; r < 2; ++r) {
          float all = total[half][m][r];
          all += shuffle_xor(all, 1);
          all += shuffle_xor(all, 2);
          const float scale = reciprocal(all);  // a sum of at least 1
          const float(&x)[4][4] = out[half][m];
          const int c = 2 * r, row = item.query + my_queries + half * 32 + m * 16 + r * 8 + g;
          if (row < length) {
            const uint4 packed = make_uint4(
                pack_bf16(x[0][c] * scale, x[0][c + 1] * scale), pack_bf16(x[1][c] * scale, x[1][c + 1] * scale),
                pack_bf16(x[2][c] * scale, x[2][c + 1] * scale), pack_bf16(x[3][c] * scale, x[3][c + 1] * scale));
            const std::size_t pair = static_cast<std::size_t>(item.line + my_line) * length + row;
            *reinterpret_cast<uint4*>(o + pair * channels + item.head * head_dim + 8 * t) = packed;
          }
        }
  }
}

template <int Keys, int Stages>
cudaError_t attend_shape(const Buffers& b, int length, const Gpu& gpu, cudaStream_t stream) {
  const std::int64_t items = (std::int64_t{length} + 3) / 4 * heads * ((length + 127) / 128);
  const dim3 grid(static_cast<unsigned>(blocks_for(gpu, items, 1)));
  return launch(attend_kernel<Keys, Stages>, {grid, 256, AttendShape<Keys, Stages>::shared_bytes, stream}, b.q, b.kv,
                b.bias, b.o, length, stride_of(length));
}

}  // namespace

cudaError_t attend(const Buffers& buffers, int length, const Gpu& gpu, cudaStream_t stream) {
  if (gpu.shared_bytes >= AttendShape<64, 3>::shared_bytes) return attend_shape<64, 3>(buffers, length, gpu, stream);
  if (gpu.shared_bytes >= AttendShape<64, 2>::shared_bytes) return attend_shape<64, 2>(buffers, length, gpu, stream);
  return attend_shape<32, 2>(buffers, length, gpu, stream);
}

bool suits(const Gpu& gpu) { return gpu.capability >= 80 && gpu.shared_bytes >= AttendShape<32, 2>::shared_bytes; }

}  // namespace pleat::cuda::triangle_attention
