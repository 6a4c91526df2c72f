#include "pair_kernels.h"

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
    for (std::int64_t k = 0; k < depth; ++k) {
      for (std::int64_t c = panel; c < panel + run_length; ++c) {
        *panels++ = c < columns ? weight[c * depth + k] : 0.0F;
      }
    }
  }
}

}  // namespace pleat::cpu
