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

// What a measurement holds for: the GPUs where there are some, the processor, the model, the precision, the devices,
// and whether sequences are folded. Throws what choose_devices() does.
[[nodiscard]] std::string calibration_key(const Manifest& manifest);

// Nothing where there is none, or the file cannot be read.
[[nodiscard]] std::optional<Calibration> find_calibration(const std::filesystem::path& file, const std::string& key);

// Throws Error(cannot_create) or Error(io).
void keep_calibration(const std::filesystem::path& file, const std::string& key, const Calibration& calibration);

}  // namespace pleat
