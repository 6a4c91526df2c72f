// One process at a time.
#pragma once

#include <filesystem>
#include <functional>

namespace pleat {

// Holds an exclusive flock(2) on a folder, or on a file that is made where it is not there, until it is destroyed.
// The hub's Python client locks in the same way. File systems without locks are used without.
class FileLock {
 public:
  // Calls `on_wait` once if another process holds the lock, then waits. Throws Error(cannot_create).
  FileLock(const std::filesystem::path& path, const std::function<void()>& on_wait);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  FileLock(FileLock&&) = delete;
  FileLock& operator=(FileLock&&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace pleat
