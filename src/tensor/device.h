// Where tensors are, for code that is the same on every device.
#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace pleat {

// Whether the processor's own kernels work on x. After use_general_operations(true), which only tests call, they work
// on nothing: everything on the processor then goes the way that other devices go, so that it can be tested without
// them. To be set before weights are loaded.
[[nodiscard]] bool on_processor(const at::Tensor& x);
void use_general_operations(bool everywhere);

// How many rows of x to work on at once: on the processor `cached`, which stay in its cache from one operation to the
// next; elsewhere all, so that there is enough to do, or `most`, where memory would be the limit.
[[nodiscard]] inline std::int64_t rows_at_once(const at::Tensor& x, std::int64_t cached,
                                               std::int64_t most = std::numeric_limits<std::int64_t>::max()) {
  return on_processor(x) ? cached : std::clamp<std::int64_t>(x.size(0), 1, most);
}

}  // namespace pleat
