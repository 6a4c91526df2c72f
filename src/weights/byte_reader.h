// Little-endian numbers and runs of bytes, read one after the other from a file that may end early.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string_view>

namespace pleat {

class ByteReader {
 public:
  // Thrown when fewer bytes are left than asked for; whoever knows the file says so in an Error.
  class Ended : public std::exception {
   public:
    [[nodiscard]] const char* what() const noexcept override { return "the bytes have ended"; }
  };

  explicit ByteReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  [[nodiscard]] std::span<const std::byte> take(std::uint64_t count) {
    if (count > left()) throw Ended();
    const std::span<const std::byte> taken = bytes_.subspan(at_, count);
    at_ += count;
    return taken;
  }

  // An unsigned number of `count` bytes, at most 8.
  [[nodiscard]] std::uint64_t number(std::size_t count) {
    std::uint64_t value = 0;
    std::size_t shift = 0;
    for (const std::byte byte : take(count)) {
      value |= std::to_integer<std::uint64_t>(byte) << shift;
      shift += 8;
    }
    return value;
  }

  // Bytes seen as text.
  [[nodiscard]] std::string_view text(std::uint64_t count) {
    const std::span<const std::byte> taken = take(count);
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }

  void skip(std::uint64_t count) { static_cast<void>(take(count)); }

  [[nodiscard]] std::size_t position() const { return at_; }
  [[nodiscard]] std::size_t left() const { return bytes_.size() - at_; }

 private:
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
};

}  // namespace pleat
