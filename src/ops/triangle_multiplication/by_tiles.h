// A triangular multiplication on the processor whose products are by tiles: operands in bfloat16, sums in float32.
#pragma once

#include "ops/cpu/tile_kernels.h"
#include "ops/triangle_multiplication/triangle_multiplication.h"

namespace pleat {

class TriangleMultiplicationByTiles {
 public:
  TriangleMultiplicationByTiles(const cpu::TileKernels& kernels, const TriangleMultiplicationWeights& weights,
                                Triangle triangle);

  // Chunks are of whole tiles: of 32 channels or a multiple.
  void operator()(at::Tensor& z, std::int64_t chunk_size, PairWorkspace& workspace) const;

 private:
  void project(at::Tensor& z, std::int64_t first, std::int64_t count, std::uint16_t* a, std::uint16_t* b) const;

  const cpu::TileKernels& kernels_;
  // Biases filled up; a, b and their gates as left operands, the others as right ones.
  TriangleMultiplicationWeights weights_;
  Triangle triangle_;
};

}  // namespace pleat
