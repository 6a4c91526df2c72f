#include "hdf5/guarded_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/file.h"

namespace pleat {

GuardedFile::GuardedFile(const std::filesystem::path& path)
    : path_(path), fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
  if (!fd_.is_open()) throw_system_error(errno, "create", path_, ErrorCode::cannot_create);
}

void GuardedFile::throw_if_failed() const {
  if (error_ != 0) throw_system_error(error_, "write", path_, ErrorCode::io);
}

void GuardedFile::write(std::uint64_t offset, std::span<const std::byte> data) {
  size_ = std::max(size_, offset + data.size());
  if (error_ == 0) {
    error_ = fd_.write_at(offset, data);
    if (error_ == 0) return;
  }
  while (!data.empty()) {
    const std::uint64_t number = offset / page_bytes;
    const std::size_t begin = offset % page_bytes;
    const auto [entry, is_new] = pages_.try_emplace(number);
    if (is_new) read_disk(number * page_bytes, entry->second);
    const std::size_t count = std::min(data.size(), page_bytes - begin);
    std::copy_n(data.begin(), count, entry->second.begin() + static_cast<std::ptrdiff_t>(begin));
    data = data.subspan(count);
    offset += count;
  }
}

void GuardedFile::read(std::uint64_t offset, std::span<std::byte> out) {
  if (error_ == 0) return read_disk(offset, out);
  while (!out.empty()) {
    const std::size_t begin = offset % page_bytes;
    const std::size_t count = std::min(out.size(), page_bytes - begin);
    const auto page = pages_.find(offset / page_bytes);
    if (page == pages_.end()) {
      read_disk(offset, out.first(count));
    } else {
      std::copy_n(page->second.begin() + static_cast<std::ptrdiff_t>(begin), count, out.begin());
    }
    out = out.subspan(count);
    offset += count;
  }
}

void GuardedFile::truncate(std::uint64_t size) noexcept {
  size_ = size;
  if (error_ == 0 && ::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) error_ = errno;
}

void GuardedFile::read_disk(std::uint64_t offset, std::span<std::byte> out) noexcept {
  std::size_t got = 0;
  const int error = fd_.read_at(offset, out, got);
  if (error != 0 && error_ == 0) error_ = error;
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(got), out.end(), std::byte{0});
}

}  // namespace pleat
