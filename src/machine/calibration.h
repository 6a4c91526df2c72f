// How fast this machine was found to be, kept for estimates of time.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "manifest/manifest.h"

namespace pleat {

struct Calibration {
  double flops_per_second = 0;  // of all devices together, by the cost models
  std::string measured_utc;
};

// Where calibrations are kept: pleat/calibration.json in $XDG_CACHE_HOME or ~/.cache. Empty where neither is known.
[[nodiscard]] std::filesystem::path calibration_file();

// What a measurement holds for: the GPUs where there are some, the processor and which of its instructions are used,
// the model, the precision, the devices, and whether sequences are folded. Throws what
// choose_devices() and resolve_precision() do.
[[nodiscard]] std::string calibration_key(const Manifest& manifest);

// How many times as fast as float32 bfloat16 was measured to be on the processor with this manifest's model; nothing
// where one of them has not been measured, or where GPUs compute.
[[nodiscard]] std::optional<double> bfloat16_speedup(const std::filesystem::path& file, const Manifest& manifest);
// What that means, for people: "run.precision: bf16 would be 1.9 times as fast here, ..".
[[nodiscard]] std::string bfloat16_text(double speedup);

// Nothing where there is none, or the file cannot be read.
[[nodiscard]] std::optional<Calibration> find_calibration(const std::filesystem::path& file, const std::string& key);

// Throws Error(cannot_create) or Error(io).
void keep_calibration(const std::filesystem::path& file, const std::string& key, const Calibration& calibration);

}  // namespace pleat
