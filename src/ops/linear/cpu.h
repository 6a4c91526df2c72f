// Some columns of a linear layer on the processor.
#pragma once

#include <cstdint>

#include "ops/cpu/element.h"
#include "ops/cpu/pair.h"

namespace pleat::cpu {

// What a layer's sums end with: an activation, or that they are added to what is there.
enum class Ending : std::uint8_t { none, gelu, relu, add };

// Some columns of a linear layer, for some rows of x; sums in float32.
struct LinearColumns {
  const float* x = nullptr;  // [rows, in], contiguous
  std::int64_t rows = 0;
  std::int64_t in = 0;
  const void* weight = nullptr;        // the columns' first panel, [in, run_length]
  Element element = Element::float32;  // of the weight, and of out unless that is added to
  const float* bias = nullptr;         // of the columns, filled up to whole panels
  void* out = nullptr;                 // the columns' first, in row 0; float32 for Ending::add
  std::int64_t out_stride = 0;
  std::int64_t columns = 0;
  Ending ending = Ending::none;
};

}  // namespace pleat::cpu
