// Small text helpers shared by the readers.
#pragma once

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

}  // namespace pleat
