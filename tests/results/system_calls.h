// System calls that answer what a test says. The test program defines them itself, so that all of its libraries call
// these.
#pragma once

#include <atomic>
#include <cstdint>

namespace pleat {

struct SystemCalls {
  std::atomic<int> flock_error = 0;              // 0 = as the system does
  std::atomic<std::int64_t> free_bytes = -1;     // of every disk; -1 = as it is
  std::atomic<const char*> host_name = nullptr;  // null = as it is
  void reset() {
    flock_error = 0;
    free_bytes = -1;
    host_name = nullptr;
  }
};

SystemCalls& system_calls();

}  // namespace pleat
