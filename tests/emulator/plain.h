// The pair operations' plain formulas in float64, and random numbers for them: what the kernels are compared with here.
// That src/ops' own references, which are ATen's, say the same is shown where a GPU runs both (tests/ops/cuda_test.cc).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "emulator/buffer.h"
#include "emulator/device.h"
#include "ops/cuda/launch.h"

namespace pleat::emulator {

constexpr int C = 128;

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  double normal() { return normal_(engine_); }
  std::uint64_t below(std::uint64_t n) { return engine_() % n; }
  std::vector<float> vector(std::size_t count, double mean, double deviation) {
    std::vector<float> v(count);
    for (float& x : v) x = static_cast<float>(mean + deviation * normal());
    return v;
  }

 private:
  std::mt19937_64 engine_;
  std::normal_distribution<double> normal_;
};

// The layer norm of `count` numbers.
template <class T>
std::vector<double> normalised(const T* x, std::size_t count, const float* weight, const float* bias) {
  double mean = 0;
  double variance = 0;
  for (std::size_t c = 0; c < count; ++c) mean += double{x[c]} / double(count);
  for (std::size_t c = 0; c < count; ++c) variance += (double{x[c]} - mean) * (double{x[c]} - mean) / double(count);
  std::vector<double> y(count);
  for (std::size_t c = 0; c < count; ++c) {
    y[c] = (double{x[c]} - mean) / std::sqrt(variance + 1e-5) * double{weight[c]} + double{bias[c]};
  }
  return y;
}

struct Norm {
  std::vector<float> weight;
  std::vector<float> bias;
  Buffer<float> d_weight{weight};
  Buffer<float> d_bias{bias};

  explicit Norm(Random& random) : weight(random.vector(C, 1, 0.2)), bias(random.vector(C, 0, 0.2)) {}
  cuda::NormPointers pointers() { return {d_weight.data(), d_bias.data()}; }
  template <class T>
  [[nodiscard]] std::vector<double> operator()(const T* x) const {
    return normalised(x, C, weight.data(), bias.data());
  }
};

// A weight [N, K] of numbers that bf16 holds exactly, with a bias [N].
struct Linear {
  std::size_t n;
  std::size_t k;
  std::vector<cuda::bf16> bits;
  std::vector<float> bias;
  Buffer<cuda::bf16> d_bits{bits};
  Buffer<float> d_bias{bias};
  std::vector<double> transposed;  // [K, N]

  Linear(Random& random, std::size_t rows, std::size_t columns, double scale = 1, double bias_deviation = 0.3)
      : n(rows),
        k(columns),
        bits(random_bits(random, n * k, scale / std::sqrt(double(columns)))),
        bias(random.vector(n, 0, bias_deviation)),
        transposed(n * k) {
    for (std::size_t r = 0; r < n; ++r) {
      for (std::size_t c = 0; c < k; ++c) transposed[c * n + r] = double{bf16_value(bits[r * k + c])};
    }
  }
  // Without the bias.
  [[nodiscard]] std::vector<double> times(const double* x) const {
    std::vector<double> y(n);
    for (std::size_t c = 0; c < k; ++c) {
      for (std::size_t r = 0; r < n; ++r) y[r] += x[c] * transposed[c * n + r];
    }
    return y;
  }
  [[nodiscard]] std::vector<double> operator()(const std::vector<double>& x) const {
    std::vector<double> y = times(x.data());
    for (std::size_t r = 0; r < n; ++r) y[r] += double{bias[r]};
    return y;
  }
  static std::vector<cuda::bf16> random_bits(Random& random, std::size_t count, double deviation) {
    std::vector<cuda::bf16> bits(count);
    for (cuda::bf16& x : bits) x = bf16_bits(static_cast<float>(random.normal() * deviation));
    return bits;
  }
};

inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// Scores to weights.
inline void softmax(std::vector<double>& scores) {
  const double most = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double& x : scores) sum += x = std::exp(x - most);
  for (double& x : scores) x /= sum;
}

// z [L, L, C] as trunks have it: a mean for each channel, rows of other spread, outliers.
inline std::vector<float> random_pairs(Random& random, int length) {
  const std::vector<float> means = random.vector(C, 0.5, 2);
  std::vector<float> z(static_cast<std::size_t>(length) * static_cast<std::size_t>(length) * C);
  for (std::size_t i = 0; i < z.size(); ++i) {
    const double spread = i / C % 13 == 5 ? 5 : 1;
    z[i] = static_cast<float>(spread * random.normal()) + means[i % C];
    if (random.below(997) == 0) z[i] *= 30;
  }
  return z;
}

// How far results are from what they should be.
class Difference {
 public:
  void add(double actual, double expected) {
    const double d = actual - expected;
    largest_ = std::isfinite(d) ? std::max(largest_, std::abs(d)) : INFINITY;
    scale_ = std::max(scale_, std::abs(expected));
    squares_ += d * d;
    expected_squares_ += expected * expected;
  }
  // Root mean square, relative; NaN where a result is.
  [[nodiscard]] double rms() const { return std::sqrt(squares_ / expected_squares_); }
  // Relative to the largest number expected.
  [[nodiscard]] double largest() const { return largest_ / scale_; }

 private:
  double largest_ = 0;
  double scale_ = 0;
  double squares_ = 0;
  double expected_squares_ = 0;
};

// At most `count` of 0 .. n - 1, the first and the last among them.
inline std::vector<int> some_of(int n, int count) {
  std::vector<int> some;
  for (int i = 0; i < std::min(n, count); ++i) some.push_back(n <= count ? i : i * (n - 1) / (count - 1));
  return some;
}

#if defined(__SANITIZE_ADDRESS__)
inline const std::vector<int> lengths = {1, 7, 37};  // many times slower
#else
inline const std::vector<int> lengths = {1, 7, 16, 37, 64, 100, 129};
#endif
// What differs from GPU to GPU is the same for longer ones.
inline const std::vector<int> short_lengths = {1, 7, 16, 37};
inline constexpr int long_enough = 37;

// GPUs that differ in what the kernels' shapes depend on; with few processors, so that their blocks go on and on.
inline constexpr cuda::Gpu h100{.processors = 3, .shared_bytes = 232448, .capability = 90};
inline constexpr cuda::Gpu a100{.processors = 2, .shared_bytes = 166912, .capability = 80};
inline constexpr cuda::Gpu a10{.processors = 2, .shared_bytes = 101376, .capability = 86};
inline constexpr cuda::Gpu rtx50{.processors = 2, .shared_bytes = 101376, .capability = 120};

// For the length of a scope.
class WithOptions {
 public:
  explicit WithOptions(const Options& options) {
    Machine::get().options = options;
    Machine::get().seen = {};
  }
  ~WithOptions() { Machine::get().options = {}; }
  WithOptions(const WithOptions&) = delete;
  WithOptions& operator=(const WithOptions&) = delete;
  WithOptions(WithOptions&&) = delete;
  WithOptions& operator=(WithOptions&&) = delete;
};

}  // namespace pleat::emulator
