#include "weights/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "core/file.h"

namespace pleat {
namespace {

int open_for_lock(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
}

}  // namespace

FileLock::FileLock(const std::filesystem::path& path, const std::function<void()>& on_wait) : fd_(open_for_lock(path)) {
  if (fd_ < 0) throw_system_error(errno, "open the lock", path, ErrorCode::cannot_create);
  if (::flock(fd_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
  if (on_wait) on_wait();
  while (::flock(fd_, LOCK_EX) != 0 && errno == EINTR) {
  }
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace pleat
