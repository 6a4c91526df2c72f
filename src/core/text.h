// Small text helpers that every folder may need.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace pleat {

// ASCII only, whatever the locale.
[[nodiscard]] std::string lower_case(std::string_view text);

// Without the `blanks` at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text, std::string_view blanks = " \t");

// A tensor's shape for a message: "[2, 3]".
[[nodiscard]] std::string shape_text(std::span<const std::int64_t> shape);

}  // namespace pleat
