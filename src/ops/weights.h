// A linear layer's parameters as a checkpoint holds them.
#pragma once

#include <ATen/core/Tensor.h>

namespace pleat {

struct Projection {
  at::Tensor weight;  // [out, in] float32
  at::Tensor bias;    // [out] float32, or undefined
};

}  // namespace pleat
