// Small text helpers shared by the readers.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace pleat {

// In single quotes, for a message.
[[nodiscard]] std::string quoted(const std::filesystem::path& file);
// Likewise, and cut where it is longer than a message can bear. `text` is UTF-8.
[[nodiscard]] std::string quoted(std::string_view text);

// Makes `text` fit for a UTF-8 string in HDF5 and for a line of FASTA: every byte that belongs to no valid UTF-8
// character, and every control character (U+0080 to U+009F too) but a tab, becomes U+FFFD. Returns whether anything
// changed.
bool make_clean_utf8(std::string& text);

// Whether every byte belongs to a valid UTF-8 character.
[[nodiscard]] bool is_utf8(std::string_view text);

// From Windows-1252, what Western editors wrote before UTF-8; its five bytes without a character become U+FFFD.
[[nodiscard]] std::string utf8_of_windows_1252(std::string_view text);

// Names in tables beside the inputs, as the ids of records are read, so that they are equal: what is not UTF-8 is taken
// for Windows-1252, and then made clean.
[[nodiscard]] std::string readable(std::string text);

// Bytes of the white space that `text` starts with: ASCII's, no-break and zero-width spaces and others of Unicode in
// UTF-8, and a no-break space of Windows-1252. 0 where there is none.
[[nodiscard]] std::size_t white_space_length(std::string_view text);
[[nodiscard]] std::string_view behind_white_space(std::string_view text);

}  // namespace pleat
