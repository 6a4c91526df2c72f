// One head of attention with a bias on the processor.
#pragma once

#include <cstdint>

#include "ops/cpu/pair.h"

namespace pleat::cpu {

// One head of attention over a sequence with a bias for each pair.
struct BiasedHead {
  const float* q = nullptr;  // first token; k and v likewise
  const float* k = nullptr;
  const float* v = nullptr;
  std::int64_t row_stride = 0;  // of q, k and v
  float scale = 1;
  const float* bias = nullptr;  // [L, bias_stride]
  std::int64_t bias_stride = 0;
  float* out = nullptr;
  std::int64_t out_stride = 0;
  std::int64_t length = 0;
  std::int64_t head_dim = 0;
};

}  // namespace pleat::cpu
