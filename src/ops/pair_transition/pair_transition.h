// The transition of a pair representation: a layer norm and two linear layers at every pair (Jumper et al. 2021,
// algorithm 15).
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "ops/cpu/tile_kernels.h"
#include "ops/layer_norm/layer_norm.h"
#include "ops/weights.h"

namespace pleat {

struct PairTransitionWeights {
  LayerNorm norm;
  Projection in;   // [hidden, C]
  Projection out;  // [C, hidden]
};

// z += out(relu(in(norm(z)))). z [L, L, C] float32, contiguous, changed in place.
class PairTransition {
 public:
  // `operands`: float32, or bfloat16 where a device that has kernels for that, or a processor with tiles, may round the
  // operands of products to it.
  explicit PairTransition(const PairTransitionWeights& weights, at::ScalarType operands = at::kFloat);

  void operator()(at::Tensor& z) const;

 private:
  template <class Job>
  void fill(Job& job) const;

  std::function<void(at::Tensor& z)> own_;   // the device's, where it has one
  PairTransitionWeights weights_;            // biases filled up to whole panels
  const cpu::TileKernels* tiles_ = nullptr;  // where products are by tiles; then the weights are right operands
  at::Tensor in_panels_;
  at::Tensor out_panels_;
};

void pair_transition_reference(at::Tensor& z, const PairTransitionWeights& weights);

}  // namespace pleat
