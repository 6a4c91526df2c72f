// Where an export goes, by the name that was given: the one place that decides it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

namespace pleat {

enum class Destination : std::uint8_t {
  stream,   // "-": standard output
  archive,  // .tar, .tar.gz, .tgz
  file,     // one file of the format
  folder,   // anything else without the ending of a file
};

// `endings` are those of the format's own files, with their dots. A folder that is there, and a name that ends in a
// slash, are folders whatever they are called. Throws Error(usage) for the ending of a file that is neither an archive
// nor of this format, such as .zip: a folder of such a name is hardly what was meant.
[[nodiscard]] Destination destination_of(const std::filesystem::path& output,
                                         std::span<const std::string_view> endings);

}  // namespace pleat
