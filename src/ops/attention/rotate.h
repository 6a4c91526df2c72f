// Rotary positions on the processor. Included by the kernels' source files, see cpu/vector.h.
#pragma once

#include "ops/cpu/vector.h"

namespace pleat::cpu {
namespace {

// One token's vector, scaled and turned by its position.
template <class T>
inline void rotate(const T* __restrict x, std::int64_t head_dim, const float* __restrict cos,
                   const float* __restrict sin, float scale, float* __restrict out) {
  const std::int64_t half = head_dim / 2;
  for (std::int64_t i = 0; i < half; ++i) {
    const float first = widen(x[i]) * scale;
    const float second = widen(x[i + half]) * scale;
    out[i] = first * cos[i] - second * sin[i];
    out[i + half] = second * cos[i] + first * sin[i];
  }
}

}  // namespace
}  // namespace pleat::cpu
