#include "core/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <utility>

#include "core/file_descriptor.h"

namespace pleat {
namespace {

FileDescriptor open_to_read(const std::filesystem::path& path) {
  return FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

std::chrono::nanoseconds time_of(const struct stat& status) {
  return std::chrono::seconds(status.st_mtim.tv_sec) + std::chrono::nanoseconds(status.st_mtim.tv_nsec);
}

[[noreturn]] void throw_changed(const std::filesystem::path& file) {
  throw Error(ErrorCode::bad_input, "'" + file.string() + "' was changed while it was read",
              "wait until whoever writes it is done, then run the same command again");
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& file) : path_(file), file_(open_to_read(file)) {
  if (!file_.is_open()) throw_system_error(errno, "open", file, ErrorCode::missing_input);
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) throw_system_error(errno, "look at", file, ErrorCode::missing_input);
  if (!S_ISREG(status.st_mode)) throw Error(ErrorCode::missing_input, "'" + file.string() + "' is not a file");
  size_ = static_cast<std::size_t>(status.st_size);
  written_ = time_of(status);
  if (size_ == 0) return;
  void* const address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file_.get(), 0);
  if (address == MAP_FAILED) throw_system_error(errno, "map", file, ErrorCode::missing_input);
  data_ = static_cast<const std::byte*>(address);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::move(other.file_)),
      written_(other.written_),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(file_, other.file_);
  std::swap(written_, other.written_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

void MappedFile::drop_pages(std::size_t offset, std::size_t length) const noexcept {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t first = (offset + page - 1) / page * page;
  const std::size_t last = std::min(offset + length, size_) / page * page;
  if (data_ != nullptr && first < last) ::madvise(const_cast<std::byte*>(data_) + first, last - first, MADV_DONTNEED);
}

void MappedFile::read_at(std::size_t offset, std::span<std::byte> to) const {
  std::size_t got = 0;
  const int error = file_.read_at(offset, to, got);
  if (error != 0) throw_system_error(error, "read", path_, ErrorCode::io);
  if (got < to.size()) throw_changed(path_);
}

void MappedFile::throw_if_changed() const {
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) throw_system_error(errno, "look at", path_, ErrorCode::io);
  if (static_cast<std::size_t>(status.st_size) != size_ || time_of(status) != written_) throw_changed(path_);
}

void fsync_path(const std::filesystem::path& path) {
  const FileDescriptor fd = open_to_read(path);
  if (!fd.is_open()) throw_system_error(errno, "open", path, ErrorCode::io);
  // Some network file systems do not flush folders and say EINVAL; there is nothing more to be done there.
  if (::fsync(fd.get()) != 0 && errno != EINVAL) throw_system_error(errno, "flush", path, ErrorCode::io);
}

void rename_durably(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) throw_system_error(errno, "rename to", to, ErrorCode::io);
  const std::filesystem::path folder = to.parent_path();
  fsync_path(folder.empty() ? "." : folder);
}

std::string read_text_file(const std::filesystem::path& file) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) {
    throw Error(ErrorCode::missing_input, "'" + file.string() + "' is a folder, not a file");
  }
  std::ifstream in(file, std::ios::binary);
  if (!in) throw_system_error(errno, "open", file, ErrorCode::missing_input);
  std::string text;
  std::array<char, 65536> buffer{};
  while (in) {
    in.read(buffer.data(), buffer.size());
    text.append(buffer.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) throw Error(ErrorCode::missing_input, "cannot read '" + file.string() + "' to its end");
  return text;
}

void throw_system_error(int error_number, const char* action, const std::filesystem::path& path, ErrorCode code) {
  const std::string what = std::string("cannot ") + action + " '" + path.string() + "': " + std::strerror(error_number);
  constexpr const char* elsewhere = ", or choose another place for what is written";
  if (error_number == ENOSPC) throw Error(ErrorCode::retry, what, std::string("make room on that disk") + elsewhere);
  if (error_number == EDQUOT) {
    throw Error(ErrorCode::retry, what,
                std::string("your quota on that disk is used up: delete files of yours") + elsewhere);
  }
  if (error_number == EFBIG) {
    throw Error(ErrorCode::retry, what,
                "no file may be larger here: raise the limit (ulimit -f unlimited), or choose a disk without one");
  }
  throw Error(code, what);
}

}  // namespace pleat
