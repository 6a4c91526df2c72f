// An open file that closes itself, read and written at given places.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace pleat {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor();
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }

  // The same open file under another number, not open where there is none left.
  [[nodiscard]] FileDescriptor duplicate() const noexcept;

  // All of `data` at `offset`. Returns 0 or an errno.
  [[nodiscard]] int write_at(std::uint64_t offset, std::span<const std::byte> data) const noexcept;
  // As many bytes as there are, up to the size of `out`, into `out`; how many goes to `got`. Returns 0 or an errno.
  [[nodiscard]] int read_at(std::uint64_t offset, std::span<std::byte> out, std::size_t& got) const noexcept;

 private:
  int fd_ = -1;
};

}  // namespace pleat
