// Triangular multiplicative update of a pair representation (Jumper et al. 2021, algorithms 11 and 12).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "ops/layer_norm/layer_norm.h"
#include "ops/pair_workspace.h"
#include "ops/weights.h"

namespace pleat {

enum class Triangle : std::uint8_t {
  outgoing,  // x[i, j] = sum over k of a[i, k] b[j, k]
  incoming,  // x[i, j] = sum over k of a[k, i] b[k, j]
};

// All [C, C] with biases [C], float32.
struct TriangleMultiplicationWeights {
  LayerNorm norm_in;
  LayerNorm norm_out;
  Projection a;
  Projection a_gate;
  Projection b;
  Projection b_gate;
  Projection out;
  Projection gate;
};

class TriangleMultiplicationByTiles;

// z += sigmoid(gate(y)) * out(norm_out(x)), with y = norm_in(z), a = sigmoid(a_gate(y)) * a(y), b likewise.
// z [L, L, C] float32, contiguous, changed in place.
class TriangleMultiplication {
 public:
  // `operands`: float32, or bfloat16 where a device that has kernels for that, or a processor with tiles, may round the
  // operands of products to it.
  TriangleMultiplication(const TriangleMultiplicationWeights& weights, Triangle triangle,
                         at::ScalarType operands = at::kFloat);

  // Holds a and b of `chunk_size` channels at a time, in [1, C]; with fewer than C also x, [C, L, L]. The result does
  // not depend on it.
  void operator()(at::Tensor& z, std::int64_t chunk_size, PairWorkspace& workspace) const;

 private:
  std::function<void(at::Tensor& z)> own_;                         // the device's, where it has one
  std::shared_ptr<const TriangleMultiplicationByTiles> by_tiles_;  // the processor's, where products are by tiles
  void project(at::Tensor& z, std::int64_t first, std::int64_t count, float* a, float* b) const;

  TriangleMultiplicationWeights weights_;  // on the processor as the kernels take them
  Triangle triangle_;
};

void triangle_multiplication_reference(at::Tensor& z, const TriangleMultiplicationWeights& weights, Triangle triangle);

}  // namespace pleat
