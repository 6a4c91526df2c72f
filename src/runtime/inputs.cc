#include "runtime/inputs.h"

#include <glob.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <new>
#include <sstream>
#include <string>

#include "core/error.h"
#include "core/file.h"
#include "core/text.h"
#include "manifest/expand.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;

InputFormat format_of(SourceFormat format) {
  switch (format) {
    case SourceFormat::automatic: return InputFormat::automatic;
    case SourceFormat::fasta: return InputFormat::fasta;
    case SourceFormat::csv: return InputFormat::csv;
    case SourceFormat::tsv: return InputFormat::tsv;
  }
  throw Error(ErrorCode::internal, "unknown format of an input");
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    std::error_code ignored;
    if (!entry.path().filename().string().starts_with('.') && !entry.is_directory(ignored)) {
      files.push_back(entry.path());
    }
  }
  if (error) throw_system_error(error.value(), "look into the folder", folder, ErrorCode::missing_input);
  std::ranges::sort(files);
  return files;
}

std::vector<fs::path> matches_of(const fs::path& pattern) {
  glob_t found{};
  const int status = ::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found);
  std::vector<fs::path> files(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  if (status == GLOB_NOSPACE) throw std::bad_alloc();
  std::erase_if(files, [](const fs::path& file) {
    std::error_code ignored;
    return fs::is_directory(file, ignored);
  });
  std::ranges::sort(files);
  return files;
}

// What a file of names cannot begin with: it was meant to be read itself.
void check_is_list(const fs::path& list, std::string_view text) {
  const bool is_fasta = text.starts_with('>');
  if (!is_fasta && text.find('\0') == std::string_view::npos && !text.starts_with("\x1f\x8b")) return;
  throw Error(
      ErrorCode::missing_input,
      "'" + list.string() + "' is to hold a name in each line, and holds " + (is_fasta ? "FASTA" : "binary data"),
      "leave the @ before its name out, if it holds sequences");
}

// Its lines, without comments and blanks around them.
std::vector<std::string> lines_of(const fs::path& list) {
  std::string text = read_text_file(list);
  check_is_list(list, text);
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.erase(0, byte_order_mark.size());
  std::istringstream lines(text);
  std::vector<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    const std::string_view name = trimmed(line, " \t\r");
    if (!name.empty() && !name.starts_with('#')) names.emplace_back(name);
  }
  return names;
}

class Finder {
 public:
  explicit Finder(const Manifest& manifest) : manifest_(manifest) {}

  void add(const InputSpec& spec) {
    InputFile file;
    file.format = format_of(spec.format);
    file.id_column = spec.id_column;
    file.sequence_column = spec.sequence_column;
    file.description_column = spec.description_column;
    file.delimiter = spec.delimiter;
    add(spec.file, file, true);
  }

  [[nodiscard]] std::vector<InputFile> take() { return std::move(files_); }

 private:
  void add(const std::string& text, InputFile file, bool may_be_list) {
    if (text == "-") return add_standard_input(file);
    if (text.starts_with('@') && may_be_list) return add_list(manifest_.resolve(text.substr(1)), file);
    const fs::path path = manifest_.resolve(text);
    std::error_code ignored;
    const bool is_folder = fs::is_directory(path, ignored);
    const bool is_there = is_folder || fs::exists(fs::symlink_status(path, ignored));
    std::vector<fs::path> found;
    if (is_folder) found = files_in(path);
    if (!is_there && text.find_first_of("*?[") != std::string::npos) found = matches_of(path);
    if (!found.empty()) {
      file.from_folder = is_folder;
      return add_all(found, file);
    }
    // Also an empty folder, and a pattern that nothing matches, as something that is missing beside other inputs.
    file.file = path;
    files_.push_back(file);
  }

  void add_standard_input(InputFile file) {
    if (std::ranges::any_of(files_, [](const InputFile& other) { return other.file == "-"; })) {
      throw Error(ErrorCode::missing_input, "standard input is given twice among the inputs", "name it once");
    }
    file.file = "-";
    files_.push_back(file);
  }

  void add_list(const fs::path& list, const InputFile& like) {
    std::error_code ignored;
    if (!fs::exists(list, ignored)) return add_all({list}, like);
    const std::vector<std::string> names = lines_of(list);
    for (const std::string& name : names) add(expanded(name), like, false);
    if (!names.empty()) return;
    throw Error(ErrorCode::missing_input, "'" + list.string() + "' names no file",
                "write the name of an input in each line");
  }

  void add_all(const std::vector<fs::path>& paths, InputFile file) {
    for (const fs::path& path : paths) {
      file.file = path;
      files_.push_back(file);
    }
  }

  const Manifest& manifest_;
  std::vector<InputFile> files_;
};

}  // namespace

std::vector<InputFile> input_files(const Manifest& manifest) {
  Finder finder(manifest);
  for (const InputSpec& spec : manifest.inputs) finder.add(spec);
  return finder.take();
}

PairRule pair_rule(const Manifest& manifest) {
  const PairsTask& pairs = manifest.pairs;
  PairRule rule;
  if (!pairs.file.empty()) rule.file = manifest.resolve(pairs.file);
  rule.columns = {pairs.columns.front(), pairs.columns.back()};
  rule.self = pairs.self;
  rule.separator = pairs.separator;
  if (pairs.mode != PairMode::bait_vs_all) return rule;
  rule.baits.emplace();
  for (const std::string& bait : pairs.baits) {
    if (!bait.starts_with('@')) {
      rule.baits->push_back(bait);
      continue;
    }
    const fs::path list = manifest.resolve(bait.substr(1));
    const std::vector<std::string> names = lines_of(list);
    if (names.empty()) {
      throw Error(ErrorCode::missing_input, "'" + list.string() + "' names no bait",
                  "write the id of a record in each line");
    }
    rule.baits->insert(rule.baits->end(), names.begin(), names.end());
  }
  return rule;
}

}  // namespace pleat
