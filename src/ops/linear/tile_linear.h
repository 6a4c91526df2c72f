// A linear layer on the processor whose products are of bfloat16 tiles; see cpu/tile_operands.h.
#pragma once

#include <cstdint>

#include "ops/cpu/scratch.h"
#include "ops/linear/cpu.h"

namespace pleat::cpu {

// Some rows and some panels of a layer's columns.
struct TileLinear {
  const std::uint16_t* x = nullptr;  // [rows, in] bfloat16, contiguous
  std::int64_t rows = 0;
  std::int64_t in = 0;
  const std::uint16_t* weight = nullptr;  // of the first panel, a right operand [in, columns]
  const float* bias = nullptr;            // [panels * 32], filled up with zeros
  std::int64_t columns = 0;               // from the first panel on
  void* out = nullptr;                    // the first row's first column, bfloat16, or float32 for Ending::add
  std::int64_t out_stride = 0;
  Ending ending = Ending::none;
};

struct TileScratch {
  Scratch left;  // x in tiles
  Scratch sums;  // of all blocks of rows for one panel
};

}  // namespace pleat::cpu
