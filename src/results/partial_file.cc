#include "results/partial_file.h"

#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "core/locked_file.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;

fs::path partial_name(const fs::path& output) {
  fs::path longer = output;
  longer += ".partial";
  return longer;
}

void check_nothing_in_the_way(const fs::path& output, bool overwrite) {
  const std::string name = "'" + output.string() + "'";
  std::error_code error;
  const fs::file_status status = fs::status(output, error);
  if (status.type() == fs::file_type::not_found) return;
  if (error) throw_system_error(error.value(), "create", output, ErrorCode::cannot_create);
  if (!fs::is_regular_file(status)) throw Error(ErrorCode::cannot_create, name + " is there and is not a file");
  if (!overwrite) {
    throw Error(ErrorCode::cannot_create, name + " is there already",
                "replace it with --overwrite, or choose another place with --output");
  }
}

void check_folder(const fs::path& output) {
  if (!output.has_filename()) {
    throw Error(ErrorCode::cannot_create, "the output '" + output.string() + "' has no file name");
  }
  const fs::path folder = output.has_parent_path() ? output.parent_path() : fs::path(".");
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  if (status.type() == fs::file_type::not_found) {
    throw Error(ErrorCode::cannot_create,
                "cannot create '" + output.string() + "': the folder '" + folder.string() + "' does not exist",
                "make the folder first, or choose another place with --output");
  }
  if (error) throw_system_error(error.value(), "create", output, ErrorCode::cannot_create);
  if (!fs::is_directory(status)) {
    throw Error(ErrorCode::cannot_create,
                "cannot create '" + output.string() + "': '" + folder.string() + "' is not a folder");
  }
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    throw_system_error(errno, "create", output, ErrorCode::cannot_create);
  }
}

}  // namespace

void check_output(const fs::path& output, bool overwrite) {
  check_folder(output);
  check_nothing_in_the_way(output, overwrite);
}

PartialFile::PartialFile(const fs::path& output) : path_(partial_name(output)) {
  LockedFile locked = open_locked(path_);
  if (!locked.is_ours) {
    throw Error(ErrorCode::cannot_create, "another run is writing '" + path_.string() + "'",
                "wait for that run to end, or choose another place with --output");
  }
  lock_ = std::move(locked.file);
  if (::ftruncate(lock_.get(), 0) != 0) throw_system_error(errno, "create", path_, ErrorCode::cannot_create);
}

fs::path PartialFile::keep() { return std::exchange(path_, fs::path()); }

void PartialFile::empty() const noexcept {
  std::error_code ignored;
  fs::resize_file(path_, 0, ignored);
}

void PartialFile::rename_to(const fs::path& output) {
  rename_durably(path_, output);
  path_.clear();
  lock_ = FileDescriptor();  // HDF5's readers take a lock too
}

void PartialFile::remove() noexcept {
  std::error_code ignored;
  if (!path_.empty()) fs::remove(path_, ignored);
}

}  // namespace pleat
