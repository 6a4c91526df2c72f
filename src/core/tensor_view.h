// A tensor at rest, in memory that somebody else owns.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <vector>

#include "core/dtype.h"

namespace pleat {

// One tensor where it lies in the file: row-major, little-endian. `data` may lie at any address: a header's length is
// not always a multiple of the element size, so the bytes must be copied (memcpy), never read through a float pointer.
struct TensorView {
  DType dtype = DType::float32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;

  [[nodiscard]] std::int64_t numel() const {
    // An empty tensor may have other sizes whose product does not fit.
    if (std::ranges::find(shape, 0) != shape.end()) return 0;
    return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
  }
};

}  // namespace pleat
