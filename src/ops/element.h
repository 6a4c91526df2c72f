// The kernels' word for a tensor's element type.
#pragma once

#include <ATen/core/Tensor.h>

#include "core/error.h"
#include "ops/cpu/kernels.h"

namespace pleat {

inline cpu::Element element_of(const at::Tensor& tensor) {
  if (tensor.scalar_type() == at::kFloat) return cpu::Element::float32;
  if (tensor.scalar_type() == at::kBFloat16) return cpu::Element::bfloat16;
  throw Error(ErrorCode::internal, "the processor's kernels compute in float32 and bfloat16 only");
}

}  // namespace pleat
