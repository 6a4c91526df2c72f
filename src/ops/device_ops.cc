#include "ops/device_ops.h"

#include <array>

#include "ops/general.h"

namespace pleat {
namespace {

using AllOps = std::array<DeviceOps, static_cast<std::size_t>(at::COMPILE_TIME_MAX_DEVICE_TYPES)>;

AllOps& all_ops() {
  static AllOps ops = [] {
    AllOps general;
    general.fill({.linear = linear_reference, .attention = general::attention});
    return general;
  }();
  return ops;
}

}  // namespace

void set_device_ops(at::DeviceType type, const DeviceOps& ops) { all_ops()[static_cast<std::size_t>(type)] = ops; }

const DeviceOps& device_ops(at::DeviceType type) { return all_ops()[static_cast<std::size_t>(type)]; }

}  // namespace pleat
