#include "ops/attention/cpu.h"

#include "ops/attention/rotate.h"
#include "ops/cpu/instruction_set.h"
#include "ops/cpu/runs.h"

namespace pleat::cpu {
namespace {

// Rows and registers of a tile of accumulators, which with the operands fill the registers.
constexpr std::int64_t MR = PLEAT_ATTENTION_ROWS;
constexpr std::int64_t NV = PLEAT_ATTENTION_VECTORS;
constexpr std::int64_t panel_columns = NV * W;
static_assert(attention_tile_rows % MR == 0);

void multiply_panel(std::int64_t vectors, std::int64_t depth, const float* a, std::int64_t a_stride, const float* b,
                    std::int64_t b_stride, float* c, std::int64_t c_stride) {
  static_assert(NV <= 3);
  const auto write = [&](std::int64_t m, std::int64_t v, Vector sum) { store(c + m * c_stride + v * W, sum); };
  switch (vectors) {
    case 1: return multiply_tile<MR, 1>(depth, a, a_stride, 1, b, b_stride, from_zero, write);
    case 2: return multiply_tile<MR, 2>(depth, a, a_stride, 1, b, b_stride, from_zero, write);
    default: return multiply_tile<MR, NV>(depth, a, a_stride, 1, b, b_stride, from_zero, write);
  }
}

// rows [W, width] -> columns [width, panel_columns], W of the panel's columns.
inline void transpose_rows(const float* rows, std::int64_t width, float* columns) {
  const std::int64_t whole = width / W * W;
  for (std::int64_t c = 0; c < whole; c += W) {
    transpose_block(rows + c, width, columns + c * panel_columns, panel_columns);
  }
  for (std::int64_t c = whole; c < width; ++c) {
    for (std::int64_t r = 0; r < W; ++r) columns[c * panel_columns + r] = rows[r * width + c];
  }
}

// Keys, rotated and transposed: panel by panel of `panel_columns` tokens, each [head_dim, panel_columns] and filled up
// with zeros to whole registers.
template <class T>
void pack_keys(const AttentionHead& head, AttentionScratch& scratch) {
  const std::int64_t dim = head.head_dim;
  const std::int64_t half = dim / 2;
  float* const keys = scratch.k.need(round_up(head.length, panel_columns) * dim);
  float* const rows = scratch.q.need(attention_tile_rows * dim);
  const T* const k = static_cast<const T*>(head.k);
  for (std::int64_t first = 0; first < head.length; first += W) {
    const std::int64_t count = std::min(W, head.length - first);
    for (std::int64_t r = 0; r < count; ++r) {
      const std::int64_t token = first + r;
      rotate(k + token * head.row_stride, dim, head.cos + token * half, head.sin + token * half, 1.0F, rows + r * dim);
    }
    std::fill(rows + count * dim, rows + W * dim, 0.0F);
    transpose_rows(rows, dim, keys + first / panel_columns * panel_columns * dim + first % panel_columns);
  }
}

template <class T>
void pack(const AttentionHead& head, AttentionScratch& scratch) {
  static_assert(W <= attention_tile_rows && panel_columns % W == 0);
  pack_keys<T>(head, scratch);
  // Values, as they are, in rows padded to whole registers.
  const std::int64_t width = round_up(head.head_dim, W);
  float* const values = scratch.v.need(head.length * width);
  const T* const v = static_cast<const T*>(head.v);
  for (std::int64_t token = 0; token < head.length; ++token) {
    float* const to = values + token * width;
    for (std::int64_t i = 0; i < head.head_dim; ++i) to[i] = widen(v[token * head.row_stride + i]);
    for (std::int64_t i = head.head_dim; i < width; ++i) to[i] = 0;
  }
  scratch.score_stride = round_up(head.length, W);
}

template <class T>
void attend(const AttentionHead& head, std::int64_t q_begin, std::int64_t tile, AttentionScratch& scratch) {
  const std::int64_t dim = head.head_dim;
  const std::int64_t half = dim / 2;
  const std::int64_t stride = scratch.score_stride;
  const std::int64_t rows = round_up(tile, MR);

  const std::int64_t width = round_up(dim, W);
  float* const queries = scratch.q.need(attention_tile_rows * dim);
  float* const scores = scratch.scores.need(attention_tile_rows * stride);
  float* const mixed = scratch.out.need(attention_tile_rows * width);
  for (std::int64_t r = 0; r < tile; ++r) {
    const std::int64_t token = q_begin + r;
    rotate(static_cast<const T*>(head.q) + token * head.row_stride, dim, head.cos + token * half,
           head.sin + token * half, head.scale * log2_e, queries + r * dim);
  }
  std::fill(queries + tile * dim, queries + rows * dim, 0.0F);

  for (std::int64_t column = 0; column < stride; column += panel_columns) {
    const std::int64_t vectors = std::min(NV, (stride - column) / W);
    const float* const panel = scratch.k.get() + column * dim;
    for (std::int64_t r = 0; r < rows; r += MR) {
      multiply_panel(vectors, dim, queries + r * dim, dim, panel, panel_columns, scores + r * stride + column, stride);
    }
  }
  // The softmax divides by its sum after the product with the values, where there is less to divide.
  exp2_rows(scores, tile, head.length, stride, scratch.inverse);

  // The value's columns in panels as even as possible: four registers are better taken as 2 + 2 than as 3 + 1.
  const std::int64_t panels = (width / W + NV - 1) / NV;
  std::int64_t column = 0;
  for (std::int64_t p = 0; p < panels; ++p) {
    const std::int64_t vectors = (width / W - column / W + panels - p - 1) / (panels - p);
    for (std::int64_t r = 0; r < rows; r += MR) {
      multiply_panel(vectors, head.length, scores + r * stride, stride, scratch.v.get() + column, width,
                     mixed + r * width + column, width);
    }
    column += vectors * W;
  }
  for (std::int64_t r = 0; r < tile; ++r) {
    T* out = static_cast<T*>(head.out) + (q_begin + r) * head.out_stride;
    for (std::int64_t i = 0; i < dim; ++i) narrow(mixed[r * width + i] * scratch.inverse[r], out + i);
  }
}

}  // namespace

namespace PLEAT_INSTRUCTION_SET {

void pack_keys_values(const AttentionHead& head, AttentionScratch& scratch) {
  if (head.element == Element::float32) {
    pack<float>(head, scratch);
  } else {
    pack<std::uint16_t>(head, scratch);
  }
}

void attention_tile(const AttentionHead& head, std::int64_t q_begin, std::int64_t tile, AttentionScratch& scratch) {
  if (head.element == Element::float32) {
    attend<float>(head, q_begin, tile, scratch);
  } else {
    attend<std::uint16_t>(head, q_begin, tile, scratch);
  }
}

}  // namespace PLEAT_INSTRUCTION_SET
}  // namespace pleat::cpu
