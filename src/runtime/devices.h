// Which devices a run computes on.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/cuda.h"

namespace pleat {

// What `run.devices` asks for, as it is written.
struct DeviceRequest {
  enum class Kind : std::uint8_t { automatic, cpu, cuda };
  Kind kind = Kind::automatic;
  std::int64_t cpu_workers = 1;
  std::vector<int> gpus = {};  // of cuda:0,2; empty = all
};

// auto, cpu, cpu*N, cuda, cuda:I,J,... Throws Error(no_device) for anything else.
[[nodiscard]] DeviceRequest parse_devices(const std::string& devices);

struct Gpu {
  int number = 0;  // of cuda:N
  std::string name;
  double free_bytes = 0;
};

// The GPUs that compute, or, where there are none, workers that share the processor: each computes batches of its own,
// on its share of the cores.
struct DeviceChoice {
  std::int64_t cpu_workers = 1;
  std::vector<Gpu> gpus = {};
  std::string note = {};  // for the log: which GPUs were taken; may be empty
  // What the user may not expect: GPUs that `auto` does not use although they are there.
  std::vector<std::string> warnings = {};

  [[nodiscard]] std::int64_t count() const {
    return gpus.empty() ? cpu_workers : static_cast<std::int64_t>(gpus.size());
  }
  [[nodiscard]] bool on_gpu() const { return !gpus.empty(); }
};

// auto takes the GPUs that are usable, and the whole processor as one device where none is; cpu is that, cpu*N N
// devices. cuda takes all GPUs and never falls back. Throws Error(no_device) for anything this build or machine has not
// got. Looks at the machine, so that its answer may change.
[[nodiscard]] DeviceChoice choose_devices(const std::string& devices);

// What auto makes of a machine where a GPU seems to be there.
[[nodiscard]] DeviceChoice choose_automatically(const CudaProbe& probe);

}  // namespace pleat
