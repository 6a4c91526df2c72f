// What this program does to the files below a folder, call by call.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace pleat::fault {

// Files are known by a number of their own, whatever they are called; entries of folders by their paths.
struct Call {
  enum class Kind : std::uint8_t { create, write, truncate, flush, flush_folder, rename, unlink, mkdir, rmdir, mark };

  Kind kind = Kind::mark;
  std::int64_t file = -1;
  std::string path = {};
  std::string to = {};       // of a rename
  std::uint64_t offset = 0;  // of a write; the size of a truncate
  std::string data = {};     // of a write
};

// The program itself defines open, pwrite, fsync and their like, so that all of its libraries call these. Only between
// begin() and end() do they write anything down, and only what lies below the folder.
class Recorder {
 public:
  static void begin(const std::filesystem::path& folder);
  static std::vector<Call> end();
  // Between other calls.
  static void mark();

  // fsync, fdatasync and syncfs do nothing: what is written lies in memory anyhow.
  static void skip_flushes(bool skip);
  // The n-th flush from now on, counted from 0, fails with this errno; the ones after it succeed.
  static void fail_flush(std::int64_t n, int error);
  // Flushes since then.
  static std::int64_t flushes();
};

}  // namespace pleat::fault
