// Where tensors are, for code that is the same on every device.
#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace pleat {

// How many rows of x to work on at once: on the processor `cached`, which stay in its cache from one operation to the
// next; elsewhere all, so that there is enough to do, or `most`, where memory would be the limit.
[[nodiscard]] inline std::int64_t rows_at_once(const at::Tensor& x, std::int64_t cached,
                                               std::int64_t most = std::numeric_limits<std::int64_t>::max()) {
  return x.is_cpu() ? cached : std::clamp<std::int64_t>(x.size(0), 1, most);
}

}  // namespace pleat
