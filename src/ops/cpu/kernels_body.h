// The kernels of the language model, written once and included by one source file per instruction set.
#pragma once

#include "kernels.h"
#include "multiply.h"
#include "vector.h"

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

// One token's vector, scaled and turned by its position: out[i * stride], i in [0, head_dim).
template <class T>
inline void rotate(const T* x, std::int64_t head_dim, const float* cos, const float* sin, float scale, float* out,
                   std::int64_t stride) {
  const std::int64_t half = head_dim / 2;
  for (std::int64_t i = 0; i < half; ++i) {
    const float first = widen(x[i]) * scale;
    const float second = widen(x[i + half]) * scale;
    out[i * stride] = first * cos[i] - second * sin[i];
    out[(i + half) * stride] = second * cos[i] + first * sin[i];
  }
}

template <class T>
void pack(const AttentionHead& head, AttentionScratch& scratch) {
  const std::int64_t columns = round_up(head.length, W);
  const std::int64_t half = head.head_dim / 2;
  // Keys, transposed: panel by panel of `panel_columns` tokens, each [head_dim, panel_columns].
  scratch.k.assign(static_cast<std::size_t>(round_up(head.length, panel_columns) * head.head_dim), 0.0F);
  const T* k = static_cast<const T*>(head.k);
  for (std::int64_t token = 0; token < head.length; ++token) {
    float* panel = scratch.k.data() + token / panel_columns * panel_columns * head.head_dim;
    rotate(k + token * head.row_stride, head.head_dim, head.cos + token * half, head.sin + token * half, 1.0F,
           panel + token % panel_columns, panel_columns);
  }
  // Values, as they are, in rows padded to whole registers.
  const std::int64_t width = round_up(head.head_dim, W);
  scratch.v.assign(static_cast<std::size_t>(head.length * width), 0.0F);
  const T* v = static_cast<const T*>(head.v);
  for (std::int64_t token = 0; token < head.length; ++token) {
    for (std::int64_t i = 0; i < head.head_dim; ++i) {
      scratch.v[token * width + i] = widen(v[token * head.row_stride + i]);
    }
  }
  scratch.score_stride = columns;
  scratch.scores.resize(static_cast<std::size_t>(attention_tile_rows * columns));
  scratch.q.resize(static_cast<std::size_t>(attention_tile_rows * head.head_dim));
  scratch.out.resize(static_cast<std::size_t>(attention_tile_rows * width));
}

void pack_keys_values(const AttentionHead& head, AttentionScratch& scratch) {
  if (head.element == Element::float32) {
    pack<float>(head, scratch);
  } else {
    pack<std::uint16_t>(head, scratch);
  }
}

template <class T>
void attend(const AttentionHead& head, std::int64_t q_begin, std::int64_t tile, AttentionScratch& scratch) {
  const std::int64_t dim = head.head_dim;
  const std::int64_t half = dim / 2;
  const std::int64_t stride = scratch.score_stride;
  const std::int64_t rows = round_up(tile, MR);

  std::fill(scratch.q.begin(), scratch.q.begin() + rows * dim, 0.0F);
  for (std::int64_t r = 0; r < tile; ++r) {
    const std::int64_t token = q_begin + r;
    rotate(static_cast<const T*>(head.q) + token * head.row_stride, dim, head.cos + token * half,
           head.sin + token * half, head.scale, scratch.q.data() + r * dim, 1);
  }

  for (std::int64_t column = 0; column < stride; column += panel_columns) {
    const std::int64_t vectors = std::min(NV, (stride - column) / W);
    const float* panel = scratch.k.data() + column * dim;
    for (std::int64_t r = 0; r < rows; r += MR) {
      multiply_panel(vectors, dim, scratch.q.data() + r * dim, dim, panel, panel_columns,
                     scratch.scores.data() + r * stride + column, stride);
    }
  }
  for (std::int64_t r = 0; r < tile; ++r) softmax_row(scratch.scores.data() + r * stride, head.length, stride);

  // The value's columns in panels as even as possible: four registers are better taken as 2 + 2 than as 3 + 1.
  const std::int64_t width = round_up(dim, W);
  const std::int64_t panels = (width / W + NV - 1) / NV;
  std::int64_t column = 0;
  for (std::int64_t p = 0; p < panels; ++p) {
    const std::int64_t vectors = (width / W - column / W + panels - p - 1) / (panels - p);
    for (std::int64_t r = 0; r < rows; r += MR) {
      multiply_panel(vectors, head.length, scratch.scores.data() + r * stride, stride, scratch.v.data() + column, width,
                     scratch.out.data() + r * width + column, width);
    }
    column += vectors * W;
  }
  for (std::int64_t r = 0; r < tile; ++r) {
    T* out = static_cast<T*>(head.out) + (q_begin + r) * head.out_stride;
    for (std::int64_t i = 0; i < dim; ++i) narrow(scratch.out[r * width + i], out + i);
  }
}

void attention_tile(const AttentionHead& head, std::int64_t q_begin, std::int64_t tile, AttentionScratch& scratch) {
  if (head.element == Element::float32) {
    attend<float>(head, q_begin, tile, scratch);
  } else {
    attend<std::uint16_t>(head, q_begin, tile, scratch);
  }
}

template <class T>
inline void add_row(float* residual, const T* update, std::int64_t width) {
  for (std::int64_t i = 0; i < width; ++i) residual[i] += widen(update[i]);
}

void add_layer_norm(float* residual, const void* update, Element update_element, const float* weight, const float* bias,
                    float eps, std::int64_t width, void* out, Element out_element) {
  if (update != nullptr) {
    if (update_element == Element::float32) {
      add_row(residual, static_cast<const float*>(update), width);
    } else {
      add_row(residual, static_cast<const std::uint16_t*>(update), width);
    }
  }
  const Moments moments = moments_of(residual, width, eps);
  if (out_element == Element::float32) {
    scale_row(residual, moments, weight, bias, width, static_cast<float*>(out));
  } else {
    scale_row(residual, moments, weight, bias, width, static_cast<std::uint16_t*>(out));
  }
}

}  // namespace
}  // namespace pleat::cpu
