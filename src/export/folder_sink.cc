#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <span>

#include "core/error.h"
#include "core/file.h"
#include "core/file_descriptor.h"
#include "export/file_sink.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;

class FolderSink final : public FileSink {
 public:
  FolderSink(fs::path folder, bool overwrite) : folder_(std::move(folder)), overwrite_(overwrite) {
    std::error_code error;
    fs::create_directories(folder_, error);
    if (error) throw_system_error(error.value(), "create the folder", folder_, ErrorCode::cannot_create);
  }

  void check_free(const std::string& name) const override {
    if (overwrite_ || !fs::exists(fs::symlink_status(folder_ / name))) return;
    throw Error(ErrorCode::cannot_create, "'" + (folder_ / name).string() + "' is there already",
                "replace it with --overwrite, or choose another folder with --output");
  }

  void add(const std::string& name, std::string_view text) override {
    const fs::path partial = folder_ / (name + ".partial");
    write_new_file(partial, text);
    if (::rename(partial.c_str(), (folder_ / name).c_str()) == 0) return;
    const int failure = errno;
    std::error_code ignored;
    fs::remove(partial, ignored);
    throw_system_error(failure, "rename to", folder_ / name, ErrorCode::io);
  }

  // One flush for all: thousands of small ones would take longer than writing.
  void finish() override {
    const FileDescriptor folder(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.is_open()) throw_system_error(errno, "open", folder_, ErrorCode::io);
    if (::syncfs(folder.get()) != 0) throw_system_error(errno, "flush", folder_, ErrorCode::io);
  }

 private:
  fs::path folder_;
  bool overwrite_;
};

}  // namespace

void write_new_file(const fs::path& file, std::string_view text) {
  const FileDescriptor out(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!out.is_open()) throw_system_error(errno, "create", file, ErrorCode::cannot_create);
  const int failure = out.write_at(0, std::as_bytes(std::span(text)));
  if (failure == 0) return;
  std::error_code ignored;
  fs::remove(file, ignored);
  throw_system_error(failure, "write", file, ErrorCode::io);
}

std::unique_ptr<FileSink> open_folder(fs::path folder, bool overwrite) {
  return std::make_unique<FolderSink>(std::move(folder), overwrite);
}

}  // namespace pleat
