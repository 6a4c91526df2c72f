// The steps of a triangular multiplication on the processor, for a run of pairs.
#pragma once

#include <cstdint>

#include "ops/cpu/pair.h"

namespace pleat::cpu {

// Weights as [out, in], in rows; biases filled up with zeros to whole panels.
struct TriangleProjection {
  std::int64_t channels = 0;  // C
  Norm norm;
  const float* weight[2] = {};  // of a and of b: [C, C]
  const float* bias[2] = {};
  const float* gate[2] = {};
  const float* gate_bias[2] = {};
};

struct TriangleOutput {
  std::int64_t channels = 0;  // C
  Norm norm_in;
  Norm norm_out;
  const float* weight = nullptr;  // panels [C, C]
  const float* bias = nullptr;
  const float* gate = nullptr;  // panels [C, C]
  const float* gate_bias = nullptr;
};

}  // namespace pleat::cpu
