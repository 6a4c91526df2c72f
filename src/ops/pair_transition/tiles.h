// The transition of a run of pairs by tiles.
#pragma once

#include <cstdint>

#include "ops/cpu/pair.h"

namespace pleat::cpu {

struct TilePairTransition {
  std::int64_t channels = 0;  // C
  std::int64_t hidden = 0;    // 4 C
  Norm norm;
  const std::uint16_t* in = nullptr;  // right operand [C, hidden]
  const float* in_bias = nullptr;
  const std::uint16_t* out = nullptr;  // right operand [hidden, C]
  const float* out_bias = nullptr;
};

}  // namespace pleat::cpu
