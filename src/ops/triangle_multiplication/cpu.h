// The steps of a triangular multiplication on the processor for a run of pairs, in float32 or by tiles of bfloat16.
#pragma once

#include <cstdint>

#include "ops/cpu/pair.h"

namespace pleat::cpu {

// Biases filled up with zeros to whole panels.
template <class Number>
struct TriangleProjectionOf {
  std::int64_t channels = 0;  // C
  Norm norm;
  const Number* weight[2] = {};  // of a and of b: [C, C]
  const float* bias[2] = {};
  const Number* gate[2] = {};
  const float* gate_bias[2] = {};
};
using TriangleProjection = TriangleProjectionOf<float>;              // weights [out, in], in rows
using TileTriangleProjection = TriangleProjectionOf<std::uint16_t>;  // as left operands [out, in]

template <class Number>
struct TriangleOutputOf {
  std::int64_t channels = 0;  // C
  Norm norm_in;
  Norm norm_out;
  const Number* weight = nullptr;  // [C, C]
  const float* bias = nullptr;
  const Number* gate = nullptr;  // [C, C]
  const float* gate_bias = nullptr;
};
using TriangleOutput = TriangleOutputOf<float>;              // weights in panels
using TileTriangleOutput = TriangleOutputOf<std::uint16_t>;  // as right operands

}  // namespace pleat::cpu
