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
  LayerNorm norm_;
  at::Tensor bias_;             // [heads, C] float32
  at::Tensor query_key_value_;  // right operands, see TileTriangleAttentionRow
  Projection gate_;             // a right operand; the bias filled up
  Projection out_;
  std::int64_t heads_;
  Node node_;
};

}  // namespace pleat
