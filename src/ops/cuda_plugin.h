// libpleat_cuda.so: LibTorch's CUDA part and our own code for it. The program links neither; it loads this file when a
// CUDA device is asked for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ops/device_ops.h"

namespace pleat {

// What the CUDA runtime says of one GPU.
struct GpuState {
  std::string name;
  int major = 0;  // compute capability
  int minor = 0;
  double total_bytes = 0;
  double free_bytes = 0;
  std::string error;  // not empty: it cannot be used, and why
};

// What libpleat_cuda.so offers. Functions throw nothing unless stated.
struct CudaPlugin {
  DeviceOps ops;
  // Architectures that device code was compiled for, such as "80 86 89 90 100 120".
  const char* architectures = nullptr;
  int runtime_version = 0;  // 1000 major + 10 minor
  // GPUs that the runtime sees; where it cannot say, `error` holds why.
  int (*count)(std::string& error) = nullptr;
  // Also runs a kernel on the GPU, where its architecture is among those above.
  GpuState (*examine)(int gpu) = nullptr;
  // Whether the GPU answers every call with an error, and which: no process can use it further.
  bool (*is_lost)(int gpu, std::string& error) = nullptr;
  // Lines for the log, each once: which operations go through ATen although there are kernels for them, and why.
  std::vector<std::string> (*take_notes)() = nullptr;
};

enum class PluginState : std::uint8_t {
  loaded,
  absent,         // there is no such file
  unloadable,     // the system's loader refuses it; `problem` is what it says
  other_version,  // it was built for another pleat; `problem` is which
};

struct PluginResult {
  PluginState state = PluginState::absent;
  std::string path;  // of the file, or where it would be
  std::string problem;
  const CudaPlugin* plugin = nullptr;
};

// Loads the file that PLEAT_CUDA_PLUGIN names, else libpleat_cuda.so beside the program or in ../lib, and sets
// device_ops for CUDA. Once a process: later calls return the first one's result. To be called before LibTorch has been
// asked for anything of CUDA.
[[nodiscard]] const PluginResult& load_cuda_plugin();

// The same for one path, every time anew.
[[nodiscard]] PluginResult load_cuda_plugin_from(const std::string& path);

}  // namespace pleat

// What the file exports. The first must be equal to the program's own, letter by letter, before the other is called.
extern "C" {
const char* pleat_cuda_abi();
const pleat::CudaPlugin* pleat_cuda_plugin();
}
