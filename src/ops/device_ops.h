// Operations as a device other than the processor does them. What is not here runs on such a device through ATen's
// general operations (src/ops/general.h).
#pragma once

#include <ATen/core/Tensor.h>

#include "ops/attention/attention.h"
#include "ops/linear/linear.h"

namespace pleat {

struct DeviceOps {
  // activation(x W^T + b): x [T, K], contiguous, weight [N, K], bias [N] or undefined, all of one type -> [T, N].
  // A row's bits must not depend on the number of rows.
  at::Tensor (*linear)(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, Activation activation);
  // As pleat::attention, for an input with `places`. A sequence's bits must not depend on the others.
  at::Tensor (*attention)(const AttentionInput& input);
};

// What a kind of device does by itself. To be set before the first tensor of that kind is made; without it, everything
// goes through ATen.
void set_device_ops(at::DeviceType type, const DeviceOps& ops);
[[nodiscard]] const DeviceOps& device_ops(at::DeviceType type);

}  // namespace pleat
