// From an exception to a message and an exit status: the one place where the program decides how it ends.
#pragma once

#include <span>

#include "core/error.h"

namespace pleat::cli {

// The exit status of each kind of failure, after sysexits.h.
[[nodiscard]] int exit_status_of(ErrorCode code);

// Every status that the program ends with, for the man page.
struct ExitStatus {
  const char* status;
  const char* meaning;
};
[[nodiscard]] std::span<const ExitStatus> exit_statuses();

// To be called in a catch block: tells people on stderr what the current exception means, and returns the exit status.
[[nodiscard]] int report_current_exception();

}  // namespace pleat::cli
