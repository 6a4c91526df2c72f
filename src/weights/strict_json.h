// JSON from files that may be damaged or hostile.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace pleat {

// Nested deeper than this, a file is refused. The files read here need three levels; ESMFold's config.json five.
inline constexpr int max_json_depth = 32;

// Parses a whole document. Refuses broken JSON, text that is not UTF-8, a name given twice in one object, and
// nesting beyond max_json_depth. Throws Error(bad_input) that begins with `origin`, the file's name.
[[nodiscard]] nlohmann::json parse_strict_json(std::string_view text, const std::string& origin);

// read_text_file for a file that has no reason to be larger than `max_bytes`; throws Error(bad_input) if it is.
[[nodiscard]] std::string read_small_text_file(const std::filesystem::path& file, std::uint64_t max_bytes);

// `text` in single quotes for a message: control characters replaced, and cut after 120 bytes.
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace pleat
