#include "cli/whole_file.h"

#include <cerrno>
#include <fstream>
#include <string>

#include "core/error.h"
#include "core/file.h"

namespace pleat::cli {

namespace fs = std::filesystem;

void require_free(const fs::path& file, bool overwrite) {
  if (!fs::exists(fs::symlink_status(file)) || overwrite) return;
  throw Error(ErrorCode::cannot_create, "'" + file.string() + "' is there already",
              "replace it with --overwrite, or choose another name with --output");
}

void write_whole(const fs::path& file, bool overwrite,
                 const std::function<void(const std::function<void(std::string_view)>&)>& write) {
  require_free(file, overwrite);
  fs::path partial = file;
  partial += ".partial";
  try {
    errno = 0;
    std::ofstream out(partial, std::ios::binary | std::ios::trunc);
    if (!out) throw_system_error(errno, "create", partial, ErrorCode::cannot_create);
    write([&](std::string_view text) {
      if (!(out << text)) throw_system_error(errno, "write", partial, ErrorCode::io);
    });
    out.close();
    if (!out) throw_system_error(errno, "write", partial, ErrorCode::io);
    fsync_path(partial);
    rename_durably(partial, file);
  } catch (...) {
    std::error_code ignored;
    fs::remove(partial, ignored);
    throw;
  }
}

}  // namespace pleat::cli
