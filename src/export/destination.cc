#include "export/destination.h"

#include <algorithm>
#include <array>
#include <string>

#include "core/error.h"
#include "core/text.h"
#include "export/file_sink.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;

// Of files, never of folders.
constexpr std::array<std::string_view, 22> file_endings{
    ".fasta", ".fa",  ".faa", ".fas", ".pdb", ".ent", ".cif", ".mmcif", ".h5",   ".hdf5", ".csv",
    ".tsv",   ".txt", ".zip", ".7z",  ".gz",  ".bz2", ".xz",  ".zst",   ".json", ".npz",  ".npy"};

std::string joined(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) text.append(text.empty() ? "" : ", ").append(word);
  return text;
}

}  // namespace

Destination destination_of(const fs::path& output, std::span<const std::string_view> endings) {
  if (output == "-") return Destination::stream;
  std::error_code ignored;
  if (!output.has_filename() || fs::is_directory(output, ignored)) return Destination::folder;
  if (is_archive(output)) return Destination::archive;
  const std::string ending = lower_case(output.extension().string());
  if (std::ranges::find(endings, ending) != endings.end()) return Destination::file;
  if (std::ranges::find(file_endings, ending) == file_endings.end()) return Destination::folder;
  throw Error(ErrorCode::usage, "'" + output.string() + "' is the name of no folder and of no file of this format",
              "archives end in .tar, .tar.gz or .tgz, files of this format in " + joined(endings) +
                  "; a folder's name may end in /");
}

}  // namespace pleat
