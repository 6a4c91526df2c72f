// Registers of floats and what is computed in them. Included by each instruction set's source file, which says how
// wide a register is. Everything is in an anonymous namespace, so that no two instruction sets share a function.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

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

// 1 / (1 + exp(-x))
inline Vector sigmoid(Vector x) {
  const Vector e = exp_nonpositive(x < 0.0F ? x : -x);
  const Vector small = e / (1.0F + e);
  return x < 0.0F ? small : 1.0F - small;
}

// row[i] = exp(row[i] - the largest) over the first `length` of a row whose length is padded to whole registers, 0 in
// the padding. Returns 1 / the sum.
inline float exp_row(float* row, std::int64_t length, std::int64_t padded) {
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
  return 1.0F / sum;
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
