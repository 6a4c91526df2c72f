#include "pleat/runtime/devices.h"

#include <charconv>
#include <string_view>

#include "pleat/core/error.h"

namespace pleat {
namespace {

constexpr std::string_view workers_prefix = "cpu*";
constexpr std::int64_t most_workers = 64;

// The N of cpu*N; 0 where it is none.
std::int64_t workers_in(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && count >= 1 && count <= most_workers ? count : 0;
}

}  // namespace

DeviceChoice choose_devices(const std::string& devices) {
  if (devices == "auto" || devices == "cpu") return {};
  if (devices.starts_with("cuda")) {
    throw Error(ErrorCode::no_device, "run.devices asks for '" + devices + "', and this build computes on the CPU only",
                "set run.devices to cpu or auto, or pass --devices cpu");
  }
  if (devices.starts_with(workers_prefix)) {
    const std::int64_t workers = workers_in(std::string_view(devices).substr(workers_prefix.size()));
    if (workers > 0) return {workers};
  }
  throw Error(ErrorCode::no_device, "run.devices asks for '" + devices + "', which is no device of this build",
              "known devices: auto, cpu, and cpu*N for N workers on one processor, N from 1 to " +
                  std::to_string(most_workers));
}

bool cpu_has_bfloat16() { return __builtin_cpu_supports("avx512bf16") != 0; }

}  // namespace pleat
