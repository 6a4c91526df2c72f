// Whether CUDA can be used here, and what is in the way. Looking at the machine is apart from judging what was seen, so
// that every case can be tested on any machine.
#pragma once

#include <string>
#include <vector>

#include "ops/cuda_plugin.h"

namespace pleat {

// What is known of this machine's CUDA.
struct CudaProbe {
  // A GPU of NVIDIA's seems to be there, whether it can be used or not.
  bool gpu_visible = false;

  PluginState plugin = PluginState::absent;
  std::string plugin_path;
  std::string plugin_problem;
  std::string architectures;  // that the plug-in has code for, such as "80 86 89 90 100 120"
  int runtime_version = 0;    // of CUDA that the plug-in was built with: 1000 major + 10 minor

  bool driver_library = false;  // libcuda.so.1 can be loaded
  std::string driver_name;      // "580.95.05", where the system says
  int driver_version = 0;       // the newest CUDA it serves: 1000 major + 10 minor; 0 where it does not say
  std::string driver_error;     // why it cannot be used, in its own words

  std::string runtime_error;  // why GPUs cannot be counted
  std::vector<GpuState> gpus;
};

struct CudaDecision {
  std::vector<int> gpus;  // to be used; empty: none, see `problem`
  std::string problem;    // one sentence without a final stop
  std::string advice;     // one line
  // Of decide_cuda_automatically(): what is wrong with each GPU that is not used, one line each.
  std::vector<std::string> left_out = {};
};

// Loads the plug-in, and asks driver and runtime where it is there. Only the GPUs `wanted` are touched, empty: all;
// what is known of the others is that they are there.
[[nodiscard]] CudaProbe probe_cuda(const std::vector<int>& wanted);

// The same without loading anything but the driver's library.
[[nodiscard]] CudaProbe probe_driver();

// `wanted`: numbers of GPUs, of which all must be usable; empty: all that there are, of which each must be.
[[nodiscard]] CudaDecision decide_cuda(const CudaProbe& probe, const std::vector<int>& wanted);

// All GPUs that are usable, whatever the others are like; `problem` and `advice` where there is none.
[[nodiscard]] CudaDecision decide_cuda_automatically(const CudaProbe& probe);

// Whether code for one of these architectures runs on a GPU: on those of the same major number and a minor number that
// is not smaller.
[[nodiscard]] bool runs_on(const std::string& architectures, int major, int minor);

}  // namespace pleat
