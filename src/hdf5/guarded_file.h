// A file for HDF5 to write to whose failures HDF5 never sees.
//
// HDF5 cannot close a file it could not write: it keeps the pieces and crashes when the program ends. So when the disk
// is full, this file remembers why, keeps all later writes in memory, and lets HDF5 close in peace; the caller then
// asks throw_if_failed(), stops early, and removes the file.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>

#include "core/file_descriptor.h"
#include "hdf5/hdf5_handle.h"

namespace pleat {

class GuardedFile {
 public:
  // Makes the file, or empties it. Throws Error(cannot_create), or Error(retry) when the disk is full.
  explicit GuardedFile(const std::filesystem::path& path);

  // Throws Error(io), or Error(retry) when the disk or the quota is full, once a write has failed.
  void throw_if_failed() const;

  // For the driver. A failure is remembered, not reported; these throw only when memory runs out.
  void write(std::uint64_t offset, std::span<const std::byte> data);
  void read(std::uint64_t offset, std::span<std::byte> out);  // zeros beyond the end
  void truncate(std::uint64_t size) noexcept;
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

 private:
  static constexpr std::size_t page_bytes = 4096;
  using Page = std::array<std::byte, page_bytes>;

  void read_disk(std::uint64_t offset, std::span<std::byte> out) noexcept;

  std::filesystem::path path_;
  FileDescriptor fd_;
  std::uint64_t size_ = 0;
  int error_ = 0;                        // the errno of the first failure
  std::map<std::uint64_t, Page> pages_;  // written after the failure, by page number
};

namespace hdf5 {

// An empty HDF5 file in `file`, which must outlive it; readable by HDF5 1.8 and later.
[[nodiscard]] File create_in(GuardedFile& file);

}  // namespace hdf5
}  // namespace pleat
