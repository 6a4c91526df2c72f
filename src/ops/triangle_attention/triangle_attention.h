// Triangular self-attention around the starting or the ending node (Jumper et al. 2021, algorithms 13 and 14).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "ops/layer_norm/layer_norm.h"
#include "ops/pair_workspace.h"
#include "ops/weights.h"

namespace pleat {

enum class Node : std::uint8_t {
  starting,  // along the rows of z
  ending,    // along its columns
};

struct TriangleAttentionWeights {
  LayerNorm norm;
  at::Tensor bias;   // [heads, C]
  at::Tensor query;  // [C, C], likewise key and value
  at::Tensor key;
  at::Tensor value;
  Projection gate;  // [C, C]
  Projection out;   // [C, C]
};

class TriangleAttentionByTiles;

// z += out(sigmoid(gate(y)) * attention(y)), with y = norm(z): each row (or column) attends within itself, pair (i, j)
// to pair (i, k), with a bias that pair (j, k) gives. Row by row: no tensor over three positions exists. z [L, L, C]
// float32, contiguous, changed in place.
class TriangleAttention {
 public:
  // `operands`: float32, or bfloat16 where a device that has kernels for that, or a processor with tiles, may round the
  // operands of products to it.
  TriangleAttention(const TriangleAttentionWeights& weights, Node node, at::ScalarType operands = at::kFloat);

  void operator()(at::Tensor& z, PairWorkspace& workspace) const;

 private:
  std::function<void(at::Tensor& z)> own_;                    // the device's, where it has one
  std::shared_ptr<const TriangleAttentionByTiles> by_tiles_;  // the processor's, where products are by tiles
  TriangleAttentionWeights weights_;                          // on the processor as the kernels take them
  at::Tensor query_value_panels_;                             // per head
  Node node_;
};

void triangle_attention_reference(at::Tensor& z, const TriangleAttentionWeights& weights, Node node);

}  // namespace pleat
