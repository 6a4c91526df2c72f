#include "cgroup.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace pleat {
namespace {

namespace fs = std::filesystem;

constexpr double unlimited = std::numeric_limits<double>::max();

// What the two versions call the same things.
struct Names {
  const char* folder;
  const char* limit;
  const char* used;
  const char* droppable;  // a line of memory.stat
};
constexpr Names version_1{"memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"};
constexpr Names version_2{"", "memory.max", "memory.current", "inactive_file"};

// Nothing where the file is not there or holds the word "max".
std::optional<double> number_in(const fs::path& file) {
  double value = 0;
  if (std::ifstream(file) >> value) return value;
  return std::nullopt;
}

double line_of(const fs::path& file, const std::string& wanted) {
  std::ifstream in(file);
  std::string key;
  double value = 0;
  while (in >> key >> value) {
    if (key == wanted) return value;
  }
  return 0;
}

double free_in(const fs::path& group, const Names& names) {
  const std::optional<double> limit = number_in(group / names.limit);
  if (!limit) return unlimited;
  return *limit - number_in(group / names.used).value_or(0) + line_of(group / "memory.stat", names.droppable);
}

// A limit anywhere above a group binds it. Inside a container the path may be the host's: then only its end, the root
// of the mount, is there.
double free_in_all(const fs::path& mount, fs::path group, const Names& names) {
  const fs::path root = mount / names.folder;
  double free = free_in(root, names);
  for (group = group.relative_path(); !group.empty(); group = group.parent_path()) {
    free = std::min(free, free_in(root / group, names));
  }
  return free;
}

bool lists_memory(const std::string& controllers) {
  return ("," + controllers + ",").find(",memory,") != std::string::npos;
}

}  // namespace

double free_of_cgroup(const fs::path& mount, std::istream& membership) {
  double free = unlimited;
  for (std::string line; std::getline(membership, line);) {  // number:controllers:path
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const fs::path group = line.substr(second + 1);
    if (controllers.empty()) free = std::min(free, free_in_all(mount, group, version_2));
    if (lists_memory(controllers)) free = std::min(free, free_in_all(mount, group, version_1));
  }
  return free;
}

}  // namespace pleat
