// The files that a command reads and writes. None may have two parts: --overwrite would replace an input, or one output
// another.
#pragma once

#include <filesystem>
#include <vector>

namespace pleat::cli {

class UsedFiles {
 public:
  void read(const std::filesystem::path& file);
  // Throws Error(cannot_create) where the file is read or written already, by whatever path.
  void write(const std::filesystem::path& file);

 private:
  std::vector<std::filesystem::path> places_;
};

}  // namespace pleat::cli
