// Data inside the page: a JSON object and arrays of numbers, gzipped, in base64. docs/report.md has the form.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pleat {

[[nodiscard]] std::string base64(std::span<const unsigned char> bytes);
[[nodiscard]] std::string gzipped(std::string_view text);
// What a Content-Security-Policy calls this text: 'sha256-...'.
[[nodiscard]] std::string policy_hash(std::string_view text);
// An element that no browser runs and that holds the text, gzipped, in base64.
[[nodiscard]] std::string data_element(std::string_view id, std::string_view text);

class Blob {
 public:
  nlohmann::ordered_json meta = nlohmann::ordered_json::object();

  void add(const std::string& name, std::span<const float> values);
  void add(const std::string& name, std::span<const std::uint8_t> values);
  void add(const std::string& name, std::span<const std::uint16_t> values);
  void add(const std::string& name, std::span<const std::int32_t> values);
  // The texts' UTF-8 end to end, and under name.offsets where each one begins. One longer than `longest` bytes is cut.
  void add_texts(const std::string& name, std::span<const std::string> texts, std::size_t longest = std::string::npos);
  // Differences between neighbours, which are small, with their first bytes together, then their second ones, and so
  // on: compresses better than the numbers as they are.
  void add_differences(const std::string& name, std::span<const std::int32_t> values);

  // Everything as one element of the page.
  [[nodiscard]] std::string element(std::string_view id) const;

 private:
  void add_bytes(const std::string& name, const char* type, std::size_t count, std::string_view bytes);

  nlohmann::ordered_json arrays_ = nlohmann::ordered_json::object();
  std::string bytes_;
};

}  // namespace pleat
