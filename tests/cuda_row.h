// The CUDA rows of tables of tests: the same body on a GPU, where this machine has one.
#pragma once

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include "ops/cuda_plugin.h"
#include "tensor/device.h"

namespace pleat {

// Whether a test can run on CUDA: the plug-in loads, and sees a GPU that it can use.
inline bool has_cuda_gpu() {
  static const bool present = [] {
    const PluginResult& result = load_cuda_plugin();
    if (result.plugin == nullptr) return false;
    std::string error;
    return result.plugin->count(error) > 0 && result.plugin->examine(0).error.empty();
  }();
  return present;
}

// A row of a table of tests: where, and by which operations.
enum class Place : std::uint8_t { cpu, general, cuda };  // general: on the processor, as other devices do it

inline const char* name_of(Place place) {
  return place == Place::cpu ? "cpu" : place == Place::general ? "general" : "cuda";
}
inline at::Device device_of(Place place) { return place == Place::cuda ? at::kCUDA : at::kCPU; }

// For the length of a test's body.
class AtPlace {
 public:
  explicit AtPlace(Place place) { use_general_operations(place == Place::general); }
  ~AtPlace() { use_general_operations(false); }
  AtPlace(const AtPlace&) = delete;
  AtPlace& operator=(const AtPlace&) = delete;
  AtPlace(AtPlace&&) = delete;
  AtPlace& operator=(AtPlace&&) = delete;
};

}  // namespace pleat

// At the beginning of a test's body.
#define PLEAT_SKIP_WITHOUT(device) \
  if (!(device).is_cpu() && !pleat::has_cuda_gpu()) GTEST_SKIP() << "needs a CUDA GPU"
