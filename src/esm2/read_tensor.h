// From a checkpoint's file to a tensor in memory, by all threads at once.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "weights/checkpoint.h"

namespace pleat {

struct ReadTensor {
  at::Tensor values;
  // Whether no number is NaN or infinite: one bool, where the values are, so that nobody waits for a GPU to say so. It
  // may say false of finite numbers with a large sum.
  at::Tensor finite;
};

// A tensor of `checkpoint` as `type` on `device`. Each thread reads, converts and checks pieces that stay in its cache.
// For a GPU they are read into pinned memory, which it copies while the next ones are read, and converted and checked
// there. Throws Error(bad_input) for a file that has become shorter, and Stopped, see StopScope.
[[nodiscard]] ReadTensor read_tensor(const Checkpoint& checkpoint, const TensorView& view, at::ScalarType type,
                                     at::Device device);

}  // namespace pleat
