// The transition of a run of pairs on the processor.
#pragma once

#include <cstdint>

#include "ops/cpu/pair.h"

namespace pleat::cpu {

struct PairTransition {
  std::int64_t channels = 0;  // C
  std::int64_t hidden = 0;    // 4 C
  Norm norm;
  const float* in = nullptr;  // panels [C, hidden]
  const float* in_bias = nullptr;
  const float* out = nullptr;  // panels [hidden, C]
  const float* out_bias = nullptr;
};

}  // namespace pleat::cpu
