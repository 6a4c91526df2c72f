// The transition of a run of pairs on the processor, in float32 or by tiles of bfloat16.
#pragma once

#include <cstdint>

#include "ops/cpu/pair.h"

namespace pleat::cpu {

template <class Number>
struct PairTransitionOf {
  std::int64_t channels = 0;  // C
  std::int64_t hidden = 0;    // 4 C
  Norm norm;
  const Number* in = nullptr;  // [C, hidden]
  const float* in_bias = nullptr;
  const Number* out = nullptr;  // [hidden, C]
  const float* out_bias = nullptr;
};
using PairTransition = PairTransitionOf<float>;              // weights in panels
using TilePairTransition = PairTransitionOf<std::uint16_t>;  // as right operands

}  // namespace pleat::cpu
