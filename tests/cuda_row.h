// The CUDA rows of tables of tests: the same body on a GPU, where this machine has one.
#pragma once

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include "ops/cuda_plugin.h"
#include "ops/linear/tile_linear.h"
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
enum class Place : std::uint8_t {
  cpu,
  tiles,    // on the processor, with linear layers by AMX's tiles: the real ones, or plain arithmetic in their place
  general,  // on the processor, as other devices do it
  cuda,
};

inline const char* name_of(Place place) {
  switch (place) {
    case Place::cpu: return "cpu";
    case Place::tiles: return "tiles";
    case Place::general: return "general";
    case Place::cuda: return "cuda";
  }
  return "";
}
inline at::Device device_of(Place place) { return place == Place::cuda ? at::kCUDA : at::kCPU; }

// For the length of a test's body.
class AtPlace {
 public:
  explicit AtPlace(Place place) {
    use_general_operations(place == Place::general);
    if (place == Place::tiles) cpu::use_tile_kernels(cpu::usable_tile_kernels().front());
  }
  ~AtPlace() {
    use_general_operations(false);
    cpu::use_tile_kernels(cpu::tile_kernels_of_the_path());
  }
  AtPlace(const AtPlace&) = delete;
  AtPlace& operator=(const AtPlace&) = delete;
  AtPlace(AtPlace&&) = delete;
  AtPlace& operator=(AtPlace&&) = delete;
};

}  // namespace pleat

// At the beginning of a test's body.
#define PLEAT_SKIP_WITHOUT(device) \
  if (!(device).is_cpu() && !pleat::has_cuda_gpu()) GTEST_SKIP() << "needs a CUDA GPU"
