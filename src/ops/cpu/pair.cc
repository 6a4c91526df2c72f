#include "ops/cpu/pair.h"

#include <algorithm>
#include <new>

namespace pleat::cpu {

float* Scratch::need(std::int64_t floats) {
  if (floats > floats_) {
    memory_.reset();
    floats_ = 0;
    const std::int64_t rounded = (floats + 15) / 16 * 16;
    memory_.reset(static_cast<float*>(std::aligned_alloc(64, static_cast<std::size_t>(rounded) * sizeof(float))));
    if (memory_ == nullptr) throw std::bad_alloc();
    floats_ = rounded;
  }
  return memory_.get();
}

std::int64_t panel_floats(std::int64_t depth, std::int64_t columns) {
  return (columns + run_length - 1) / run_length * run_length * depth;
}

void pack_panels(const float* weight, std::int64_t depth, std::int64_t columns, float* panels) {
  for (std::int64_t panel = 0; panel < columns; panel += run_length) {
    // A few depths of all columns at a time, so that neither side leaves the cache.
    constexpr std::int64_t step = 16;
    for (std::int64_t first = 0; first < depth; first += step) {
      const std::int64_t last = std::min(first + step, depth);
      for (std::int64_t c = 0; c < run_length; ++c) {
        const bool filling = panel + c >= columns;
        const float* const from = weight + (filling ? 0 : panel + c) * depth;
        for (std::int64_t k = first; k < last; ++k) panels[k * run_length + c] = filling ? 0.0F : from[k];
      }
    }
    panels += depth * run_length;
  }
}

}  // namespace pleat::cpu
