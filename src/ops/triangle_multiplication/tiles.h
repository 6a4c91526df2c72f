// The steps of a triangular multiplication by tiles, for a run of pairs.
#pragma once

#include <cstdint>

#include "ops/cpu/pair.h"

namespace pleat::cpu {

// Weights as left operands [out, in].
struct TileTriangleProjection {
  std::int64_t channels = 0;  // C
  Norm norm;
  const std::uint16_t* weight[2] = {};  // of a and of b: [C, C]
  const float* bias[2] = {};
  const std::uint16_t* gate[2] = {};
  const float* gate_bias[2] = {};
};

struct TileTriangleOutput {
  std::int64_t channels = 0;  // C
  Norm norm_in;
  Norm norm_out;
  const std::uint16_t* weight = nullptr;  // right operand [C, C]
  const float* bias = nullptr;
  const std::uint16_t* gate = nullptr;  // right operand [C, C]
  const float* gate_bias = nullptr;
};

}  // namespace pleat::cpu
