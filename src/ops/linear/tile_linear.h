// A linear layer on the processor whose products are of bfloat16 tiles; see cpu/tile_blocks.h for tiles, steps and
// blocks.
#pragma once

#include <cstdint>
#include <vector>

#include "ops/cpu/scratch.h"
#include "ops/linear/cpu.h"

namespace pleat::cpu {

// Some rows and some panels of a layer's columns.
struct TileLinear {
  const std::uint16_t* x = nullptr;  // [rows, in] bfloat16, contiguous
  std::int64_t rows = 0;
  std::int64_t in = 0;
  const std::uint16_t* weight = nullptr;  // of the first panel, see pack_tiles()
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

// bfloat16 numbers that a weight [out, in] takes in panels of 32 columns.
std::int64_t tiles_size(std::int64_t in, std::int64_t out);
// A weight [out, in] -> panels of 32 columns, each the steps of its transpose one after the other, depths and columns
// filled up with zeros.
void pack_tiles(const std::uint16_t* weight, std::int64_t in, std::int64_t out, std::uint16_t* panels);

struct TileKernels {
  const char* name;
  void (*linear)(const TileLinear& job, TileScratch& scratch);
};

// What linear layers use: those of the processor's path, nullptr where it has no tiles, unless a test has chosen
// others.
const TileKernels* tile_kernels();
const TileKernels* tile_kernels_of_the_path();
void use_tile_kernels(const TileKernels* kernels);
// Those that this processor can run, and last the plain arithmetic that stands for AMX in tests.
const std::vector<const TileKernels*>& usable_tile_kernels();

}  // namespace pleat::cpu
