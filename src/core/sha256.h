// SHA-256 (FIPS 180-4), streamed.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace pleat {

class StopToken;

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(std::span<const std::byte> data);
  void update(std::string_view text);
  // 64 lower-case hexadecimal digits. The object cannot be used afterwards.
  [[nodiscard]] std::string finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Two lower-case hexadecimal digits a byte.
[[nodiscard]] std::string hex_digits(std::span<const unsigned char> bytes);

[[nodiscard]] std::string sha256_of(std::string_view text);
// Throws Error(missing_input) when the file cannot be read to its end, and Stopped. `stop` may be null.
[[nodiscard]] std::string sha256_of_file(const std::filesystem::path& file, const StopToken* stop = nullptr);

}  // namespace pleat
