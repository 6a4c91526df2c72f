// Between tensors and plain memory.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <vector>

#include "pleat/core/tensor_view.h"

namespace pleat {

[[nodiscard]] at::ScalarType scalar_type(DType type);

// A copy of a checkpoint's tensor as `type`; the source may be unaligned.
[[nodiscard]] at::Tensor tensor_from(const TensorView& view, at::ScalarType type);

// The elements of a tensor, wherever it is, converted to `type`, row-major.
[[nodiscard]] std::vector<std::byte> bytes_of(const at::Tensor& tensor, DType type);

}  // namespace pleat
