#include "weights/sample_hash.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/file.h"
#include "core/file_descriptor.h"
#include "core/sha256.h"

namespace pleat {
namespace {

constexpr std::uint64_t mebibyte = 1 << 20;
constexpr std::uint64_t taken_whole = 4 * mebibyte;
constexpr std::uint64_t blocks = 64;
constexpr std::uint64_t block_bytes = 4096;

}  // namespace

std::string sample_hash(const std::filesystem::path& file) {
  const FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.is_open()) throw_system_error(errno, "open", file, ErrorCode::missing_input);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) throw_system_error(errno, "look at", file, ErrorCode::missing_input);
  const auto size = static_cast<std::uint64_t>(status.st_size);
  Sha256 hash;
  hash.update(std::to_string(size) + "\n");
  std::vector<std::byte> buffer;
  const auto add = [&](std::uint64_t offset, std::uint64_t bytes) {
    buffer.resize(bytes);
    std::size_t got = 0;
    const int error = fd.read_at(offset, buffer, got);
    if (error != 0) throw_system_error(error, "read", file, ErrorCode::missing_input);
    hash.update(std::span(buffer).first(got));
  };
  if (size <= taken_whole) {
    add(0, size);
    return hash.finish();
  }
  add(0, mebibyte);
  const std::uint64_t step = (size - 2 * mebibyte) / blocks;
  for (std::uint64_t block = 0; block < blocks; ++block) add(mebibyte + block * step, block_bytes);
  add(size - mebibyte, mebibyte);
  return hash.finish();
}

}  // namespace pleat
