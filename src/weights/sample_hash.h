// A hash of a file that takes no time.
#pragma once

#include <filesystem>
#include <string>

namespace pleat {

// SHA-256 of the file's size, its first and last mebibyte, which hold the headers of weights, and 64 blocks of 4 KiB
// spread evenly over the rest; of the whole content where that is not more than 4 MiB. Other weights give another hash;
// a byte that was changed somewhere may not. Throws Error(missing_input) when the file cannot be read.
[[nodiscard]] std::string sample_hash(const std::filesystem::path& file);

}  // namespace pleat
