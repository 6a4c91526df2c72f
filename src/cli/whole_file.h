// Outputs of commands that are whole or not there.
#pragma once

#include <filesystem>
#include <functional>
#include <string_view>

namespace pleat::cli {

// Throws Error(cannot_create) where `file` is there and may not be replaced.
void require_free(const std::filesystem::path& file, bool overwrite);

// Writes under a temporary name and renames at the end, so that `file` is whole or as it was before. `write` gets the
// stream. Throws as require_free does, and Error(cannot_create), Error(io), Error(retry).
void write_whole(const std::filesystem::path& file, bool overwrite,
                 const std::function<void(const std::function<void(std::string_view)>&)>& write);

}  // namespace pleat::cli
