// Which devices a run computes on.
#pragma once

#include <cstdint>
#include <string>

namespace pleat {

// Workers that share the processor: each computes batches of its own, on its share of the cores.
struct DeviceChoice {
  std::int64_t cpu_workers = 1;
};

// What `run.devices` asks for: auto and cpu are the whole processor as one device, cpu*N as N devices. Throws
// Error(no_device) for anything this build or machine has not got.
[[nodiscard]] DeviceChoice choose_devices(const std::string& devices);

// Whether the processor computes in bfloat16 by itself.
[[nodiscard]] bool cpu_has_bfloat16();

}  // namespace pleat
