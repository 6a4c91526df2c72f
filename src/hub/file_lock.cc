#include "hub/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "core/file.h"

namespace pleat {
namespace {

FileDescriptor open_for_lock(const std::filesystem::path& path) {
  std::error_code ignored;
  const int flags =
      std::filesystem::is_directory(path, ignored) ? O_RDONLY | O_DIRECTORY | O_CLOEXEC : O_RDWR | O_CREAT | O_CLOEXEC;
  return FileDescriptor(::open(path.c_str(), flags, 0644));
}

}  // namespace

// flock() itself waits on through a signal.
FileLock::FileLock(const std::filesystem::path& path, const std::function<void()>& on_wait, const StopToken* stop)
    : fd_(open_for_lock(path)) {
  constexpr std::chrono::milliseconds glance(100);
  if (!fd_.is_open()) throw_system_error(errno, "open the lock", path, ErrorCode::cannot_create);
  for (bool told = false; ::flock(fd_.get(), LOCK_EX | LOCK_NB) != 0 && (errno == EWOULDBLOCK || errno == EINTR);) {
    if (!std::exchange(told, true) && on_wait) on_wait();
    throw_if_stopped(stop);
    std::this_thread::sleep_for(glance);
  }
}

}  // namespace pleat
