// Files that are either whole or not there.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "core/error.h"
#include "core/file_descriptor.h"

namespace pleat {

// A read-only memory map of a whole file.
class MappedFile {
 public:
  // Throws Error(missing_input) when the file is not there or cannot be mapped.
  explicit MappedFile(const std::filesystem::path& file);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }
  // Gives the pages that lie wholly inside [offset, offset + length) back to the system; they are read again from
  // the file when touched.
  void drop_pages(std::size_t offset, std::size_t length) const noexcept;
  // Bytes of the file from `offset` on, not through the mapping, which a process does not survive when the file has
  // become shorter: Error(bad_input) here. Throws Error(io) when they cannot be read.
  void read_at(std::size_t offset, std::span<std::byte> to) const;
  // Throws Error(bad_input) when the file was written to since it was opened.
  void throw_if_changed() const;

 private:
  std::filesystem::path path_;
  FileDescriptor file_;
  std::chrono::nanoseconds written_{};  // when it was last
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// Flushes a file, or a folder's entries, to the disk. Throws Error(io).
void fsync_path(const std::filesystem::path& path);

// Renames `from` to `to` in one step, then flushes the folder, so that after a power cut `to` is whole or absent.
// `from` must have been flushed before. Throws Error(io).
void rename_durably(const std::filesystem::path& from, const std::filesystem::path& to);

// The text of a whole file. Throws Error(missing_input).
[[nodiscard]] std::string read_text_file(const std::filesystem::path& file);

// The Error for a failed system call on `path`: "cannot <action> '<path>': <strerror>". A full disk or quota gives
// ErrorCode::retry with a hint whatever `code` says.
[[noreturn]] void throw_system_error(int error_number, const char* action, const std::filesystem::path& path,
                                     ErrorCode code);

}  // namespace pleat
