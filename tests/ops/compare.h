// How far a result is from what it should be.
#pragma once

#include <ATen/ATen.h>

namespace pleat {

// The largest difference, relative to the largest magnitude expected.
inline double relative_error(const at::Tensor& actual, const at::Tensor& expected) {
  const double scale = expected.abs().max().to(at::kDouble).item<double>();
  const double difference = (actual.to(at::kDouble) - expected.to(at::kDouble)).abs().max().item<double>();
  return difference / std::max(scale, 1e-30);
}

inline at::Tensor random_tensor(at::IntArrayRef shape, std::uint64_t seed) {
  at::manual_seed(seed);
  return at::randn(shape);
}

}  // namespace pleat
