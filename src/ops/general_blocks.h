// What the operations by ATen's general ones share.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdint>

#include "ops/layer_norm/layer_norm.h"
#include "ops/weights.h"

namespace pleat::general {

inline at::Tensor linear(const at::Tensor& x, const Projection& p) { return at::linear(x, p.weight, p.bias); }

// body(begin, end) for blocks of rows [0, rows) of `row_elements` each that have at most `block` elements.
template <class Body>
void for_each_block(std::int64_t rows, std::int64_t row_elements, std::int64_t block, const Body& body) {
  const std::int64_t step = std::max<std::int64_t>(1, block / std::max<std::int64_t>(1, row_elements));
  for (std::int64_t begin = 0; begin < rows; begin += step) body(begin, std::min(begin + step, rows));
}

}  // namespace pleat::general
