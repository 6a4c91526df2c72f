// The bytes of an input file, inflated where its name ends in .gz, read from front to back in bounded memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

namespace pleat {

class ByteSource {
 public:
  ByteSource() = default;
  virtual ~ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  ByteSource(ByteSource&&) = delete;
  ByteSource& operator=(ByteSource&&) = delete;

  // Fills `out` as far as is convenient and returns how many bytes came, 0 only at the end. Throws
  // Error(missing_input) when the disk gives an error, and Error(bad_input) when gzip data is broken or ends early.
  [[nodiscard]] virtual std::size_t read(std::span<char> out) = 0;
};

[[nodiscard]] bool is_gzip_name(const std::filesystem::path& file);

// Throws Error(missing_input) when the file is not there, is a folder or may not be read.
[[nodiscard]] std::unique_ptr<ByteSource> open_source(const std::filesystem::path& file);

}  // namespace pleat
