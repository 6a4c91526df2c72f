// What this machine offers pleat, and what of it is wrong.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/error.h"

namespace pleat {

enum class Health : std::uint8_t { good, warning, fault };

struct Finding {
  std::string subject;  // "memory"; one word for programs
  Health health = Health::good;
  std::string text;                      // what was found
  std::string advice;                    // one line; empty where nothing is wrong
  ErrorCode code = ErrorCode::internal;  // of a fault: what a run would end with
};

struct DoctorOptions {
  std::string program;  // "0.1.0 (0123456789ab)"
  std::string devices;  // as run.devices; a device that is not there is a fault
};

// Looks and changes nothing, but for a file in the temporary folder that is removed again. Throws nothing: what cannot
// be found out is a finding.
[[nodiscard]] std::vector<Finding> examine_machine(const DoctorOptions& options);

}  // namespace pleat
