// A result file under its temporary name, until it is whole.
#pragma once

#include <filesystem>

#include "core/file_descriptor.h"
#include "journal/flush.h"

namespace pleat {

// Whether a file can be made there: its folder is there and writable, and nothing is in the way unless `overwrite`.
// Throws Error(cannot_create).
void check_output(const std::filesystem::path& output, bool overwrite);

// OUTPUT.partial: locked, so that two runs with different work folders cannot write it together, and removed unless it
// was renamed.
class PartialFile {
 public:
  // Makes the file, empty. Throws Error(cannot_create), also when another run is writing it.
  explicit PartialFile(const std::filesystem::path& output);
  ~PartialFile() { remove(); }
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;
  PartialFile(PartialFile&&) = delete;
  PartialFile& operator=(PartialFile&&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // Leaves the file where it is.
  std::filesystem::path keep();
  [[nodiscard]] Unflushed unflushed() const { return {lock_.duplicate(), path_}; }
  // Gives its room on the disk back.
  void empty() const noexcept;
  // Throws Error(io).
  void rename_to(const std::filesystem::path& output);
  void remove() noexcept;

 private:
  std::filesystem::path path_;
  FileDescriptor lock_;
};

}  // namespace pleat
