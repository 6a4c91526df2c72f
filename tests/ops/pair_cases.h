// Shapes and random weights for the tests of operations on a pair representation.
#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <vector>

#include "ops/triangle_attention/triangle_attention.h"
#include "ops/triangle_multiplication/triangle_multiplication.h"

namespace pleat {

struct PairShape {
  std::int64_t length;
  std::int64_t channels;
  std::int64_t heads;
};

inline const std::vector<PairShape> pair_shapes = {{1, 8, 1},   {1, 128, 4},  {2, 16, 2},   {3, 24, 3},
                                                   {7, 8, 1},   {15, 32, 1},  {17, 32, 4},  {33, 64, 2},
                                                   {48, 40, 5}, {63, 128, 4}, {65, 128, 1}, {130, 16, 4}};

class Random {
 public:
  explicit Random(std::uint64_t seed) { at::manual_seed(seed); }

  [[nodiscard]] at::Tensor weight(std::int64_t out, std::int64_t in) const {
    return at::randn({out, in}) / std::sqrt(static_cast<double>(in));
  }
  [[nodiscard]] at::Tensor bias(std::int64_t out) const { return at::randn({out}) * 0.3; }
  [[nodiscard]] Projection projection(std::int64_t out, std::int64_t in) const { return {weight(out, in), bias(out)}; }
  [[nodiscard]] LayerNorm norm(std::int64_t width) const { return {at::randn({width}) * 0.2 + 1, bias(width)}; }
  [[nodiscard]] at::Tensor pairs(const PairShape& shape) const {
    return at::randn({shape.length, shape.length, shape.channels}) * 2 + 0.5;
  }
};

inline TriangleMultiplicationWeights multiplication_weights(const Random& random, std::int64_t channels) {
  const auto square = [&] { return random.projection(channels, channels); };
  return {random.norm(channels), random.norm(channels), square(), square(), square(), square(), square(), square()};
}

inline TriangleAttentionWeights attention_weights(const Random& random, const PairShape& shape) {
  const std::int64_t C = shape.channels;
  return {random.norm(C),      random.weight(shape.heads, C), random.weight(C, C),    random.weight(C, C),
          random.weight(C, C), random.projection(C, C),       random.projection(C, C)};
}

}  // namespace pleat
