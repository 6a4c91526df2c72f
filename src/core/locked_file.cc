#include "core/locked_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

#include "core/file.h"

namespace pleat {
namespace {

// Whether the open file is still the one under that name: its last holder may have removed it in the meantime.
bool is_still_there(const FileDescriptor& fd, const std::filesystem::path& path) {
  struct stat open {};
  struct stat named {};
  return ::fstat(fd.get(), &open) == 0 && ::stat(path.c_str(), &named) == 0 && open.st_ino == named.st_ino &&
         open.st_dev == named.st_dev;
}

FileDescriptor open_to_lock(const std::filesystem::path& path) {
  std::error_code ignored;
  const int flags = std::filesystem::is_directory(path, ignored) ? O_RDONLY | O_DIRECTORY : O_RDWR | O_CREAT;
  return FileDescriptor(::open(path.c_str(), flags | O_CLOEXEC, 0666));
}

}  // namespace

LockedFile open_locked(const std::filesystem::path& path) {
  while (true) {
    FileDescriptor file = open_to_lock(path);
    if (!file.is_open()) throw_system_error(errno, "create", path, ErrorCode::cannot_create);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      // Anything else, such as ENOLCK, EOPNOTSUPP or ENOSYS, says that there is no lock to be had.
      const bool is_held = errno == EWOULDBLOCK;
      return {std::move(file), !is_held, false};
    }
    if (is_still_there(file, path)) return {std::move(file), true, true};
  }
}

}  // namespace pleat
