// The kernels themselves, written once and included by one source file per instruction set, which says how wide a
// register is. Everything is in an anonymous namespace, so that no two instruction sets share a function.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "kernels.h"

namespace pleat::cpu {
namespace {

constexpr std::int64_t W = PLEAT_VECTOR_FLOATS;
constexpr std::int64_t MR = PLEAT_TILE_ROWS;
constexpr std::int64_t NV = PLEAT_TILE_VECTORS;
constexpr std::int64_t panel_columns = NV * W;
static_assert(attention_tile_rows % MR == 0);

using Vector = float __attribute__((vector_size(W * sizeof(float))));
using Integers = std::int32_t __attribute__((vector_size(W * sizeof(std::int32_t))));

constexpr std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

inline Vector load(const float* from) {
  Vector v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

inline void store(float* to, Vector v) { std::memcpy(to, &v, sizeof v); }

inline Vector splat(float x) { return Vector{} + x; }

// Lane by lane in a fixed order, so that a sum depends on its length alone.
inline float sum_lanes(Vector v) {
  float lanes[W];
  store(lanes, v);
  for (std::int64_t step = W / 2; step > 0; step /= 2) {
    for (std::int64_t i = 0; i < step; ++i) lanes[i] += lanes[i + step];
  }
  return lanes[0];
}

inline float max_lanes(Vector v) {
  float lanes[W];
  store(lanes, v);
  return *std::max_element(lanes, lanes + W);
}

inline float widen(float x) { return x; }
inline float widen(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

inline void narrow(float x, float* to) { *to = x; }
// Round to nearest even; a NaN stays one.
inline void narrow(float x, std::uint16_t* to) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t rounded = (bits + 0x7fffU + (bits >> 16 & 1U)) >> 16;
  *to = static_cast<std::uint16_t>(x != x ? 0x7fc0U : rounded);
}

// exp(x) for x <= 0, to about one unit in the last place: 2^n * p(r), |r| <= ln(2)/2, with the polynomial of Cephes'
// expf. Below -87 the result stays at the smallest normal number, which no sum of probabilities notices.
inline Vector exp_nonpositive(Vector x) {
  x = x < -87.0F ? splat(-87.0F) : x;
  const Vector magic = splat(0x1.8p23F);  // adding it rounds to an integer, which then stands in the low bits
  const Vector shifted = x * 1.44269504088896341F + magic;
  const Vector n = shifted - magic;
  const Vector r = (x - n * 0.693359375F) - n * -2.12194440e-4F;
  Vector p = splat(1.9875691500e-4F);
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * (r * r) + r + 1.0F;
  const Integers exponent = (std::bit_cast<Integers>(shifted) - std::bit_cast<Integers>(magic)) << 23;
  return std::bit_cast<Vector>(std::bit_cast<Integers>(p) + exponent);
}

// c[MR, V*W] = a[MR, depth] * b[depth, V*W]; each element is one chain of multiply-adds in the order of depth, so it
// does not depend on the tile it is computed in.
template <std::int64_t V>
inline void multiply_tile(std::int64_t depth, const float* a, std::int64_t a_stride, const float* b,
                          std::int64_t b_stride, float* c, std::int64_t c_stride) {
  Vector sum[MR][V] = {};
  for (std::int64_t k = 0; k < depth; ++k) {
    Vector row[V];
    for (std::int64_t v = 0; v < V; ++v) row[v] = load(b + k * b_stride + v * W);
    for (std::int64_t m = 0; m < MR; ++m) {
      const Vector x = splat(a[m * a_stride + k]);
      for (std::int64_t v = 0; v < V; ++v) sum[m][v] += x * row[v];
    }
  }
  for (std::int64_t m = 0; m < MR; ++m) {
    for (std::int64_t v = 0; v < V; ++v) store(c + m * c_stride + v * W, sum[m][v]);
  }
}

void multiply_panel(std::int64_t vectors, std::int64_t depth, const float* a, std::int64_t a_stride, const float* b,
                    std::int64_t b_stride, float* c, std::int64_t c_stride) {
  static_assert(NV <= 3);
  switch (vectors) {
    case 1: return multiply_tile<1>(depth, a, a_stride, b, b_stride, c, c_stride);
    case 2: return multiply_tile<2>(depth, a, a_stride, b, b_stride, c, c_stride);
    default: return multiply_tile<NV>(depth, a, a_stride, b, b_stride, c, c_stride);
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

// scores[i] = softmax over the first `length` of a row whose length is padded to whole registers.
inline void softmax_row(float* row, std::int64_t length, std::int64_t padded) {
  for (std::int64_t i = length; i < padded; ++i) row[i] = -INFINITY;
  Vector largest = load(row);
  for (std::int64_t i = W; i < padded; i += W) {
    const Vector x = load(row + i);
    largest = x > largest ? x : largest;
  }
  const Vector shift = splat(max_lanes(largest));
  Vector total = {};
  for (std::int64_t i = 0; i < padded; i += W) {
    const Vector p = exp_nonpositive(load(row + i) - shift);
    store(row + i, p);
    if (i + W <= length) total += p;
  }
  float sum = 0;
  for (std::int64_t i = length / W * W; i < length; ++i) sum += row[i];
  sum += sum_lanes(total);
  const float inverse = 1.0F / sum;
  for (std::int64_t i = 0; i < padded; i += W) store(row + i, load(row + i) * inverse);
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

template <class T>
inline void scale_row(const float* x, float mean, float inverse, const float* weight, const float* bias,
                      std::int64_t width, T* out) {
  for (std::int64_t i = 0; i < width; ++i) narrow((x[i] - mean) * inverse * weight[i] + bias[i], out + i);
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
  const std::int64_t whole = width / W * W;
  Vector total = {};
  for (std::int64_t i = 0; i < whole; i += W) total += load(residual + i);
  float sum = sum_lanes(total);
  for (std::int64_t i = whole; i < width; ++i) sum += residual[i];
  const float mean = sum / static_cast<float>(width);
  Vector squares = {};
  for (std::int64_t i = 0; i < whole; i += W) {
    const Vector d = load(residual + i) - mean;
    squares += d * d;
  }
  float variance = sum_lanes(squares);
  for (std::int64_t i = whole; i < width; ++i) variance += (residual[i] - mean) * (residual[i] - mean);
  const float inverse = 1.0F / std::sqrt(variance / static_cast<float>(width) + eps);
  if (out_element == Element::float32) {
    scale_row(residual, mean, inverse, weight, bias, width, static_cast<float*>(out));
  } else {
    scale_row(residual, mean, inverse, weight, bias, width, static_cast<std::uint16_t*>(out));
  }
}

}  // namespace
}  // namespace pleat::cpu
