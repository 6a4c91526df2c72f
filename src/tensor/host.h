// Between tensors and plain memory.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Event.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/tensor_view.h"

namespace pleat {

[[nodiscard]] at::ScalarType scalar_type(DType type);

// A copy of a checkpoint's tensor as `type`; the source may be unaligned.
[[nodiscard]] at::Tensor tensor_from(const TensorView& view, at::ScalarType type);

// The elements of a tensor, wherever it is, converted to `type`, row-major.
[[nodiscard]] std::vector<std::byte> bytes_of(const at::Tensor& tensor, DType type);

// The numbers on `device`. On a GPU they arrive before what it is asked for next needs them, and nobody waits for what
// it has been asked for before.
[[nodiscard]] at::Tensor sent_to(at::Device device, const std::vector<std::int64_t>& numbers);
[[nodiscard]] at::Tensor sent_to(at::Device device, const at::Tensor& host);

// Tensors of one device on their way to the processor's memory. From a GPU they go through pinned memory, once it has
// done what it was asked for so far and beside what it is asked for next. On the processor nothing is copied.
class HostCopies {
 public:
  HostCopies() = default;  // of none
  explicit HostCopies(std::vector<at::Tensor> sources);

  // Once: waits for them. Contiguous where the sources are.
  [[nodiscard]] std::vector<at::Tensor> wait();

 private:
  std::vector<at::Tensor> sources_;  // kept until they are copied
  std::vector<at::Tensor> copies_;
  std::optional<c10::Event> arrived_;
};

}  // namespace pleat
