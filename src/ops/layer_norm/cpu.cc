#include "ops/cpu/element.h"
#include "ops/cpu/instruction_set.h"
#include "ops/cpu/vector.h"

namespace pleat::cpu {
namespace {

template <class T>
inline void add_row(float* residual, const T* update, std::int64_t width) {
  for (std::int64_t i = 0; i < width; ++i) residual[i] += widen(update[i]);
}

}  // namespace

namespace PLEAT_INSTRUCTION_SET {

void add_layer_norm(float* residual, const void* update, Element update_element, const float* weight, const float* bias,
                    float eps, std::int64_t width, void* out, Element out_element) {
  if (update != nullptr) {
    if (update_element == Element::float32) {
      add_row(residual, static_cast<const float*>(update), width);
    } else {
      add_row(residual, static_cast<const std::uint16_t*>(update), width);
    }
  }
  const Moments moments = moments_of(residual, width, eps);
  if (out_element == Element::float32) {
    scale_row(residual, moments, weight, bias, width, static_cast<float*>(out));
  } else {
    scale_row(residual, moments, weight, bias, width, static_cast<std::uint16_t*>(out));
  }
}

}  // namespace PLEAT_INSTRUCTION_SET
}  // namespace pleat::cpu
