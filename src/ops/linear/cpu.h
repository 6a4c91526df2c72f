// Some columns of a linear layer on the processor.
#pragma once

#include <cstdint>

#include "ops/cpu/pair.h"

namespace pleat::cpu {

// Some columns of a linear layer, for all rows of x.
struct LinearColumns {
  const float* x = nullptr;  // [rows, in], contiguous
  std::int64_t rows = 0;
  std::int64_t in = 0;
  const float* weight = nullptr;  // the columns' first panel, [in, run_length]
  const float* bias = nullptr;    // of the columns, filled up to whole panels
  float* out = nullptr;           // the columns' first, in row 0
  std::int64_t out_stride = 0;
  std::int64_t columns = 0;
};

}  // namespace pleat::cpu
