// Text from outside, made fit for a message.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pleat {

// Whether the UTF-8 text starts with U+0080 to U+009F, which some terminals obey like the escape character.
[[nodiscard]] bool starts_with_wide_control(std::string_view text);

// `text` with '?' for each control character, so that it cannot command a terminal. More than `longest` bytes are cut,
// not inside a character, and end in "...".
[[nodiscard]] std::string printable(std::string_view text, std::size_t longest = 60);

}  // namespace pleat
