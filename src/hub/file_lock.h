// One process at a time.
#pragma once

#include <filesystem>
#include <functional>

#include "core/file_descriptor.h"
#include "core/stop.h"

namespace pleat {

// Holds an exclusive flock(2) on a folder, or on a file that is made where it is not there, until it is destroyed.
// The hub's Python client locks in the same way. File systems without locks are used without.
class FileLock {
 public:
  // Calls `on_wait` once if another process holds the lock, then waits. Throws Error(cannot_create), and Stopped;
  // `stop` may be null.
  FileLock(const std::filesystem::path& path, const std::function<void()>& on_wait, const StopToken* stop = nullptr);

 private:
  FileDescriptor fd_;
};

}  // namespace pleat
