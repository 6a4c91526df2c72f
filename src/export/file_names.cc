#include "export/file_names.h"

#include <algorithm>
#include <array>

#include "core/ascii.h"
#include "core/text.h"

namespace pleat {
namespace {

constexpr std::size_t longest_name = 80;

bool is_plain(char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_'; }

// Names that Windows keeps for devices, whatever follows the first dot.
bool is_reserved(std::string_view name) {
  constexpr std::array<std::string_view, 4> words{"con", "prn", "aux", "nul"};
  const std::string start = lower_case(name.substr(0, name.find('.')));
  if (std::ranges::find(words, start) != words.end()) return true;
  return start.size() == 4 && (start.starts_with("com") || start.starts_with("lpt")) && is_digit(start[3]);
}

}  // namespace

std::string safe_name(std::string_view id) {
  std::string name;
  bool in_run = false;
  for (const char c : id) {
    if (is_plain(c)) {
      name += c;
    } else if (!in_run) {
      name += '_';
    }
    in_run = !is_plain(c);
    if (name.size() == longest_name) break;
  }
  if (name.empty()) name = "unnamed";
  // Hidden files, options of commands, and an ending that Windows drops.
  if (name.front() == '.' || name.front() == '-') name.front() = '_';
  if (name.back() == '.') name.back() = '_';
  if (is_reserved(name)) name.insert(0, 1, '_');
  return name;
}

std::string UniqueNames::next(const std::string& name, const std::string& key) {
  if (taken_.insert(key).second) return name;
  std::int64_t& suffix = last_suffix_.try_emplace(key, 1).first->second;
  while (true) {
    const std::string ending = "_" + std::to_string(++suffix);
    if (taken_.insert(key + ending).second) return name + ending;
  }
}

std::string FileNames::next(std::string_view id) {
  const std::string name = safe_name(id);
  return names_.next(name, lower_case(name));
}

}  // namespace pleat
