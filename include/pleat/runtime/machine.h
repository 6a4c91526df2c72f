// What the machine has to offer, and what this process has used of it.
#pragma once

#include <cstdint>

namespace pleat {

// Bytes of memory that could be taken without swapping.
[[nodiscard]] double available_memory();

// The most memory this process has held at any time, in bytes.
[[nodiscard]] std::int64_t peak_rss_bytes();

// Seconds since this process was started.
[[nodiscard]] double process_seconds();

}  // namespace pleat
