#include "pleat/runtime/device.h"

#include "pleat/core/error.h"

namespace pleat {

void check_devices(const std::string& devices) {
  if (devices == "auto" || devices == "cpu") return;
  if (devices.starts_with("cuda")) {
    throw Error(ErrorCode::no_device, "run.devices asks for '" + devices + "', and this build computes on the CPU only",
                "set run.devices to cpu or auto, or pass --devices cpu");
  }
  throw Error(ErrorCode::no_device, "run.devices asks for '" + devices + "', which is no device of this build",
              "known devices: auto, cpu");
}

bool cpu_has_bfloat16() { return __builtin_cpu_supports("avx512bf16") != 0; }

}  // namespace pleat
