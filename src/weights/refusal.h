// Why a file of weights is not read.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "core/error.h"

namespace pleat {

// Of a tensor or of an entry of an archive; longer ones are refused.
inline constexpr std::size_t max_name_bytes = 1000;

class Refusal {
 public:
  // `origin`, the file's name in quotes, begins every message.
  Refusal(std::string origin, std::string hint) : origin_(std::move(origin)), hint_(std::move(hint)) {}

  [[noreturn]] void operator()(const std::string& reason) const {
    throw Error(ErrorCode::bad_input, origin_ + ": " + reason, hint_);
  }

 private:
  std::string origin_;
  std::string hint_;
};

}  // namespace pleat
