#include "ops/device_ops.h"

#include <array>

#include "ops/general.h"

namespace pleat {
namespace {

using AllOps = std::array<DeviceOps, static_cast<std::size_t>(at::COMPILE_TIME_MAX_DEVICE_TYPES)>;

at::Tensor general_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, Activation activation,
                          Rows /*rows*/) {
  return linear_reference(x, weight, bias, activation);
}

AllOps& all_ops() {
  static AllOps ops = [] {
    AllOps general;
    general.fill({.linear = general_linear, .attention = general::attention});
    return general;
  }();
  return ops;
}

}  // namespace

void set_device_ops(at::DeviceType type, const DeviceOps& ops) { all_ops()[static_cast<std::size_t>(type)] = ops; }

const DeviceOps& device_ops(const at::Tensor& x) { return all_ops()[static_cast<std::size_t>(x.device().type())]; }

}  // namespace pleat
