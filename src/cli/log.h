// Log lines on stderr.
#pragma once

#include <cstdint>

namespace pleat::cli {

enum class LogFormat : std::uint8_t {
  text,  // for people
  json,  // one object a line, whatever a message holds: {"time": ..., "level": ..., "message": ...}
};

// From here on every line is written in this format.
void set_log_format(LogFormat format);

}  // namespace pleat::cli
