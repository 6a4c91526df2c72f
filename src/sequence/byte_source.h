// The bytes of an input file, decompressed where its first bytes say that it is compressed, read from front to back in
// bounded memory, once: an input may be a pipe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/stop.h"

namespace pleat {

// An input that ends before its end. What was given before is what was written where the data merely stop; where a
// checksum tells that they were changed, nobody knows in which place.
class BrokenInput : public Error {
 public:
  BrokenInput(const std::string& what, std::string hint, bool sound_before)
      : Error(ErrorCode::bad_input, what, std::move(hint)), sound_before_(sound_before) {}
  [[nodiscard]] bool sound_before() const noexcept { return sound_before_; }

 private:
  bool sound_before_;
};

class ByteSource {
 public:
  ByteSource() = default;
  virtual ~ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  ByteSource(ByteSource&&) = delete;
  ByteSource& operator=(ByteSource&&) = delete;

  // Fills `out` as far as is convenient and returns how many bytes came, 0 only at the end. Throws BrokenInput.
  [[nodiscard]] virtual std::size_t read(std::span<char> out) = 0;

  // What the file is compressed with: "", "gzip", "zstd", "xz" or "bzip2".
  [[nodiscard]] virtual std::string_view compression() const = 0;

  // Bytes of the file itself and their SHA-256, all of it: what nobody has read yet is read for that. Once only.
  struct Facts {
    std::int64_t bytes = 0;
    std::string sha256;
  };
  [[nodiscard]] virtual Facts facts() = 0;
};

// "-" is standard input. Throws Error(missing_input) when the file is not there, is a folder or may not be read. It and
// all that reads from it throw Stopped, also while a pipe is silent. `stop` may be null and must outlive the source.
[[nodiscard]] std::unique_ptr<ByteSource> open_source(const std::filesystem::path& file,
                                                      const StopToken* stop = nullptr);

}  // namespace pleat
