// The hashes by which the hub names a file's content.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/stop.h"

namespace pleat {

// The file's hash in the scheme that `like` is in: 64 digits, SHA-256 of the content; 40 digits, SHA-1 of a git blob
// ("blob SIZE" and a zero byte before the content). Throws Error(missing_input) when the file cannot be read,
// and Stopped; `stop` may be null.
[[nodiscard]] std::string content_hash(const std::filesystem::path& file, std::string_view like,
                                       const StopToken* stop = nullptr);

}  // namespace pleat
