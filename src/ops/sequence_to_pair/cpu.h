// The update of a run of pairs by products and differences on the processor, in float32 or by tiles of bfloat16.
#pragma once

#include <cstdint>

#include "ops/cpu/pair.h"

namespace pleat::cpu {

template <class Number>
struct OuterUpdateOf {
  std::int64_t channels = 0;       // C
  std::int64_t inner = 0;          // C / 2
  const Number* weight = nullptr;  // [inner, C]: of the product
  const float* left = nullptr;     // [C]: what the run's first position adds, bias included
  const float* right = nullptr;    // [count, C]: what each second position adds
  const float* first = nullptr;    // [inner], of the run's first position
  const float* second = nullptr;   // [count, second_stride]
  std::int64_t second_stride = 0;
};
using OuterUpdate = OuterUpdateOf<float>;              // the weight in panels
using TileOuterUpdate = OuterUpdateOf<std::uint16_t>;  // as a right operand

}  // namespace pleat::cpu
