// Triangular attention on the processor whose products are by tiles: operands in bfloat16, sums in float32.
#pragma once

#include "ops/cpu/tile_kernels.h"
#include "ops/triangle_attention/triangle_attention.h"

namespace pleat {

class TriangleAttentionByTiles {
 public:
  TriangleAttentionByTiles(const cpu::TileKernels& kernels, const TriangleAttentionWeights& weights, Node node);

  void operator()(at::Tensor& z, PairWorkspace& workspace) const;

 private:
  const cpu::TileKernels& kernels_;
  TriangleAttentionWeights weights_;  // gate and out as right operands
  at::Tensor query_key_value_;        // right operands, see TileTriangleAttentionRow
  Node node_;
};

}  // namespace pleat
