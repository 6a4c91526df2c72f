// Where the files of an export go: a folder, an archive, or a stream.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace pleat {

class FileSink {
 public:
  FileSink() = default;
  virtual ~FileSink() = default;
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;

  // Throws Error(cannot_create) where a file of that name is in the way.
  virtual void check_free(const std::string& name) const = 0;
  // Throws Error(io), or Error(retry) when the disk is full.
  virtual void add(const std::string& name, std::string_view text) = 0;
  // Flushes everything to the disk. Throws like add().
  virtual void finish() = 0;
};

// Writes one whole file. On failure nothing is left. Throws Error(cannot_create), Error(io) or Error(retry).
void write_new_file(const std::filesystem::path& file, std::string_view text);

// The folder is made where needed. Each file gets its name when it is whole.
[[nodiscard]] std::unique_ptr<FileSink> open_folder(std::filesystem::path folder, bool overwrite);

// Whether the path names an archive: .tar, .tar.gz or .tgz.
[[nodiscard]] bool is_archive(const std::filesystem::path& path);

// A tar archive, compressed where its name says so, with the files in a folder of its name. It gets its name in
// finish(). `created_utc` (ISO 8601) becomes the time of its files, so that equal contents give equal bytes.
[[nodiscard]] std::unique_ptr<FileSink> open_archive(std::filesystem::path file, const std::string& created_utc,
                                                     bool overwrite);

}  // namespace pleat
