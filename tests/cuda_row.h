// The CUDA rows of tables of tests: the same body on a GPU, where this machine has one.
#pragma once

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include "pleat/ops/cuda_plugin.h"

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

}  // namespace pleat

// At the beginning of a test's body.
#define PLEAT_SKIP_WITHOUT(device) \
  if (!(device).is_cpu() && !pleat::has_cuda_gpu()) GTEST_SKIP() << "needs a CUDA GPU"
