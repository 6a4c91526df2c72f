// Which devices a run computes on.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "machine/cuda.h"

namespace pleat {

// What `run.devices` asks for, as it is written.
struct DeviceRequest {
  enum class Kind : std::uint8_t { automatic, cpu, cuda };
  Kind kind = Kind::automatic;
  std::int64_t workers = 1;    // on the processor, or on each GPU
  std::vector<int> gpus = {};  // of cuda:0,2; empty = all
};

// auto, cpu, cpu*N, cuda, cuda:I,J,..., and both of these with *N for N workers on each GPU. Throws Error(no_device)
// for anything else.
[[nodiscard]] DeviceRequest parse_devices(const std::string& devices);

struct Gpu {
  int number = 0;  // of cuda:N
  std::string name;
  double free_bytes = 0;
  int capability = 0;  // 90 for compute capability 9.0
};

// The GPUs that compute, or, where there are none, the processor. Several workers may share it, or each GPU: each
// computes batches of its own, on its share of the cores or of the GPU's memory, and they have the weights in common.
struct DeviceChoice {
  std::int64_t cpu_workers = 1;
  std::vector<Gpu> gpus = {};
  std::int64_t workers_per_gpu = 1;
  std::string note = {};  // for the log: which GPUs were taken; may be empty
  // What the user may not expect: GPUs that `auto` does not use although they are there.
  std::vector<std::string> warnings = {};

  [[nodiscard]] std::int64_t count() const {
    return gpus.empty() ? cpu_workers : workers_per_gpu * static_cast<std::int64_t>(gpus.size());
  }
  [[nodiscard]] bool on_gpu() const { return !gpus.empty(); }
  // How many share a memory and the weights in it.
  [[nodiscard]] std::int64_t sharers() const { return gpus.empty() ? cpu_workers : workers_per_gpu; }
};

// Where device `number` of a choice computes, 0 <= number < count(). The first workers are of different GPUs.
struct DevicePlace {
  std::size_t memory = 0;   // of the copies of the weights: the place in DeviceChoice::gpus, 0 on the processor
  std::int64_t worker = 0;  // among those that share it
  std::string name;         // "cpu:1", "cuda:2", or "cuda:2.1" for a second worker
};
[[nodiscard]] DevicePlace place_of(const DeviceChoice& choice, std::int64_t number);

// auto takes the GPUs that are usable, and the whole processor as one device where none is; cpu is that, cpu*N N
// devices. cuda takes all GPUs and never falls back; with *N each is N devices. Throws Error(no_device) for anything
// this build or machine has not got. Looks at the machine, so that its answer may change.
[[nodiscard]] DeviceChoice choose_devices(const std::string& devices);

// What auto makes of a machine where a GPU seems to be there.
[[nodiscard]] DeviceChoice choose_automatically(const CudaProbe& probe);

}  // namespace pleat
