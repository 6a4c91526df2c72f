// Text from outside, made fit for a message.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pleat {

// Bytes of the well-formed UTF-8 character that `text` starts with (Unicode, table 3-7); 0 where there is none.
[[nodiscard]] std::size_t utf8_length(std::string_view text);

// Whether it is a control character of ASCII, which a terminal may obey.
[[nodiscard]] constexpr bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// Whether the UTF-8 text starts with U+0080 to U+009F, which some terminals obey like the escape character.
[[nodiscard]] bool starts_with_wide_control(std::string_view text);

// `text` with '?' for each control character, so that it cannot command a terminal, and U+FFFD for each byte that
// belongs to no UTF-8 character. More than `longest` bytes are cut, not inside a character, and end in "...".
[[nodiscard]] std::string printable(std::string_view text, std::size_t longest = 60);

// `text` for a line of a table: tab, line feed, carriage return and backslash are \t, \n, \r and \\.
[[nodiscard]] std::string one_line(std::string_view text);

}  // namespace pleat
