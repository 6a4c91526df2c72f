// Layer normalisation over channels that lie apart. Included by the kernels' source files, see cpu/vector.h.
#pragma once

#include "ops/cpu/runs.h"

namespace pleat::cpu {
namespace {

// Over the channels of columns [C, run_length], in place.
inline void normalise_over_channels(float* columns, std::int64_t channels, std::int64_t count, const Norm& norm) {
  for (std::int64_t r = 0; r < count; r += W) {
    Vector total = {};
    for (std::int64_t c = 0; c < channels; ++c) total += load(columns + c * run_length + r);
    const Vector mean = total / static_cast<float>(channels);
    Vector squares = {};
    for (std::int64_t c = 0; c < channels; ++c) {
      const Vector d = load(columns + c * run_length + r) - mean;
      squares += d * d;
    }
    const Vector variance = squares / static_cast<float>(channels) + norm.eps;
    Vector inverse;
    for (std::int64_t i = 0; i < W; ++i) inverse[i] = 1.0F / std::sqrt(variance[i]);
    for (std::int64_t c = 0; c < channels; ++c) {
      float* const x = columns + c * run_length + r;
      store(x, (load(x) - mean) * inverse * norm.weight[c] + norm.bias[c]);
    }
  }
}

// The channels of a run of planes, x_r[c] = x[c * plane + r], normalised -> columns [C, run_length].
inline float* normalised_planes(const float* x, std::int64_t plane, std::int64_t channels, std::int64_t count,
                                const Norm& norm, Scratch& scratch) {
  float* const columns = scratch.need(run_length * channels);
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t r = 0; r < count; r += W) store(columns + c * run_length + r, load(x + c * plane + r));
  }
  normalise_over_channels(columns, channels, count, norm);
  return columns;
}

}  // namespace
}  // namespace pleat::cpu
