// Errors that reach a person: every exception pleat throws on purpose is an Error.
//
// An Error says what failed, why, and what to do next. Only cli/ turns it into text and an exit status.
#pragma once

#include <stdexcept>
#include <string>

namespace pleat {

// The kinds of failure a caller can tell apart; cli/ gives each its exit status (sysexits.h).
enum class ErrorCode {
  usage,          // 64: the command line is wrong
  bad_input,      // 65: some input was bad or failed
  missing_input,  // 66: an input file is missing or unreadable
  no_device,      // 69: no such device
  internal,       // 70: a bug in pleat
  cannot_create,  // 73: an output cannot be created
  io,             // 74: an output cannot be written
  retry,          // 75: worth retrying (disk full, memory, a lost device)
  bad_manifest,   // 78: the manifest is wrong
};

class Error : public std::runtime_error {
 public:
  // `what` is one sentence without a final stop; `hint` says what to do next and may be empty.
  Error(ErrorCode code, const std::string& what, std::string hint = {})
      : std::runtime_error(what), code_(code), hint_(std::move(hint)) {}

  [[nodiscard]] ErrorCode code() const noexcept { return code_; }
  [[nodiscard]] const std::string& hint() const noexcept { return hint_; }

 private:
  ErrorCode code_;
  std::string hint_;
};

}  // namespace pleat
