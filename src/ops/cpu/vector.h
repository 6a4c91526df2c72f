// Registers of floats and what is computed in them. Included by each instruction set's source file, which says how
// wide a register is. Everything is in an anonymous namespace, so that no two instruction sets share a function.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

namespace pleat::cpu {
namespace {

constexpr std::int64_t W = PLEAT_VECTOR_FLOATS;

using Vector = float __attribute__((vector_size(W * sizeof(float))));
using Integers = std::int32_t __attribute__((vector_size(W * sizeof(std::int32_t))));

constexpr std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

inline Vector load(const float* from) {
  Vector v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

inline void store(float* to, Vector v) { std::memcpy(to, &v, sizeof v); }

// x - 0 is x for every x, which the compiler knows; of 0 + x it does not, for the sake of -0.
inline Vector splat(float x) { return x - Vector{}; }

// Lane i of the result is lane i ^ step of v.
template <std::int64_t step, std::int64_t... lane>
inline Vector across(Vector v, std::integer_sequence<std::int64_t, lane...> /*lanes*/) {
  return __builtin_shufflevector(v, v, (lane ^ step)...);
}

// All lanes joined by `join`, pair by pair in a fixed order.
template <class Join>
inline float reduce_lanes(Vector v, const Join& join) {
  constexpr auto lanes = std::make_integer_sequence<std::int64_t, W>();
  if constexpr (W >= 16) v = join(v, across<8>(v, lanes));
  if constexpr (W >= 8) v = join(v, across<4>(v, lanes));
  v = join(v, across<2>(v, lanes));
  v = join(v, across<1>(v, lanes));
  return v[0];
}

inline float sum_lanes(Vector v) {
  return reduce_lanes(v, [](Vector a, Vector b) { return a + b; });
}

inline float max_lanes(Vector v) {
  return reduce_lanes(v, [](Vector a, Vector b) { return a > b ? a : b; });
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

// 1 / (1 + exp(-x))
inline Vector sigmoid(Vector x) {
  const Vector e = exp_nonpositive(x < 0.0F ? x : -x);
  const Vector small = e / (1.0F + e);
  return x < 0.0F ? small : 1.0F - small;
}

// log2(e): a score times this, and a power of two in place of one of e, is a cheaper softmax.
constexpr float log2_e = 1.44269504F;

// 2^x for x <= 0, to about one unit in the last place: 2^n * p(r), |r| <= 1/2, with the polynomial of the least
// relative error (2e-9) among those of its degree. Below -126 the result stays at the smallest normal number.
inline Vector exp2_nonpositive(Vector x) {
  const Vector least = splat(-126.0F);
  x = least > x ? least : x;
  const Vector magic = splat(0x1.8p23F);  // adding it rounds to an integer, which then stands in the low bits
  const Vector shifted = x + magic;
  const Vector r = x - (shifted - magic);
  Vector p = splat(1.5353362e-4F);
  p = p * r + 1.3398875e-3F;
  p = p * r + 9.618437e-3F;
  p = p * r + 5.5503324e-2F;
  p = p * r + 0.24022648F;
  p = p * r + 0.6931472F;
  p = p * r + 1.0F;
  return std::bit_cast<Vector>(std::bit_cast<Integers>(p) + (std::bit_cast<Integers>(shifted) << 23));
}

// x = 2^(x - the row's largest) for the first `length` numbers of each of M rows, which are padded to whole registers,
// and next to nothing in the padding; inverse[m] = 1 / the row's sum. A row's bits do not depend on the others: that
// there are several hides how long a maximum and a sum take.
template <std::int64_t M>
inline void exp2_some_rows(float* rows, std::int64_t length, std::int64_t padded, float* inverse) {
  Vector largest[M];
  Vector total[M];
#pragma GCC unroll 16
  for (std::int64_t m = 0; m < M; ++m) {
    for (std::int64_t i = length; i < padded; ++i) rows[m * padded + i] = -INFINITY;
    largest[m] = load(rows + m * padded);
    total[m] = Vector{};
  }
  for (std::int64_t i = W; i < padded; i += W) {
#pragma GCC unroll 16
    for (std::int64_t m = 0; m < M; ++m) {
      const Vector x = load(rows + m * padded + i);
      largest[m] = x > largest[m] ? x : largest[m];
    }
  }
#pragma GCC unroll 16
  for (std::int64_t m = 0; m < M; ++m) largest[m] = splat(max_lanes(largest[m]));
  for (std::int64_t i = 0; i < padded; i += W) {
#pragma GCC unroll 16
    for (std::int64_t m = 0; m < M; ++m) {
      float* const place = rows + m * padded + i;
      const Vector p = exp2_nonpositive(load(place) - largest[m]);
      store(place, p);
      total[m] += p;
    }
  }
#pragma GCC unroll 16
  for (std::int64_t m = 0; m < M; ++m) inverse[m] = 1.0F / sum_lanes(total[m]);
}

inline void exp2_rows(float* rows, std::int64_t count, std::int64_t length, std::int64_t padded, float* inverse) {
  constexpr std::int64_t M = PLEAT_SOFTMAX_ROWS;
  std::int64_t r = 0;
  for (; r + M <= count; r += M) exp2_some_rows<M>(rows + r * padded, length, padded, inverse + r);
  for (; r < count; ++r) exp2_some_rows<1>(rows + r * padded, length, padded, inverse + r);
}

struct Moments {
  float mean;
  float inverse;  // 1 / sqrt(variance + eps)
};

// Of one row, for layer normalisation.
inline Moments moments_of(const float* row, std::int64_t width, float eps) {
  const std::int64_t whole = width / W * W;
  Vector total = {};
  for (std::int64_t i = 0; i < whole; i += W) total += load(row + i);
  float sum = sum_lanes(total);
  for (std::int64_t i = whole; i < width; ++i) sum += row[i];
  const float mean = sum / static_cast<float>(width);
  Vector squares = {};
  for (std::int64_t i = 0; i < whole; i += W) {
    const Vector d = load(row + i) - mean;
    squares += d * d;
  }
  float variance = sum_lanes(squares);
  for (std::int64_t i = whole; i < width; ++i) variance += (row[i] - mean) * (row[i] - mean);
  return {mean, 1.0F / std::sqrt(variance / static_cast<float>(width) + eps)};
}

template <class T>
inline void scale_row(const float* x, Moments moments, const float* weight, const float* bias, std::int64_t width,
                      T* out) {
  for (std::int64_t i = 0; i < width; ++i)
    narrow((x[i] - moments.mean) * moments.inverse * weight[i] + bias[i], out + i);
}

}  // namespace
}  // namespace pleat::cpu
