#include "core/file_descriptor.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace pleat {

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

FileDescriptor FileDescriptor::duplicate() const noexcept { return FileDescriptor(::fcntl(fd_, F_DUPFD_CLOEXEC, 0)); }

int FileDescriptor::write_at(std::uint64_t offset, std::span<const std::byte> data) const noexcept {
  while (!data.empty()) {
    const ssize_t written = ::pwrite(fd_, data.data(), data.size(), static_cast<off_t>(offset));
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    if (written == 0) return ENOSPC;
    offset += static_cast<std::uint64_t>(written);
    data = data.subspan(static_cast<std::size_t>(written));
  }
  return 0;
}

int FileDescriptor::read_at(std::uint64_t offset, std::span<std::byte> out, std::size_t& got) const noexcept {
  got = 0;
  while (got < out.size()) {
    const ssize_t count = ::pread(fd_, out.data() + got, out.size() - got, static_cast<off_t>(offset + got));
    if (count < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    if (count == 0) break;
    got += static_cast<std::size_t>(count);
  }
  return 0;
}

}  // namespace pleat
