// The transition of a pair representation: a layer norm and two linear layers at every pair (Jumper et al. 2021,
// algorithm 15).
#pragma once

#include <ATen/core/Tensor.h>

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
  explicit PairTransition(const PairTransitionWeights& weights);

  void operator()(at::Tensor& z) const;

 private:
  PairTransitionWeights weights_;  // biases filled up to whole panels
  at::Tensor in_panels_;
  at::Tensor out_panels_;
};

void pair_transition_reference(at::Tensor& z, const PairTransitionWeights& weights);

}  // namespace pleat
