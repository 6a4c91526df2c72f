// A file or folder that one process at a time works on.
#pragma once

#include <filesystem>

#include "core/file_descriptor.h"

namespace pleat {

struct LockedFile {
  FileDescriptor file;
  bool is_ours = false;    // false while another process holds the lock
  bool is_locked = false;  // false also where the file system has no locks
};

// Opens `path` and takes its lock (flock) until the descriptor is closed: a folder for reading, a file for reading and
// writing, made where it is not there and never emptied. File systems without locks always give it, unlocked. Throws
// Error(cannot_create).
[[nodiscard]] LockedFile open_locked(const std::filesystem::path& path);

}  // namespace pleat
