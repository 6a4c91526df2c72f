#include "machine/cgroup.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace pleat {
namespace {

namespace fs = std::filesystem;

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

// Of one group: how many processors' time it may take. Version 2 has "QUOTA PERIOD" in one file, version 1 has two.
double processors_in(const fs::path& group) {
  std::string quota;
  double period = 0;
  if (std::ifstream(group / "cpu.max") >> quota >> period && quota != "max" && period > 0) {
    return std::stod(quota) / period;
  }
  const double old_quota = number_in(group / "cpu.cfs_quota_us").value_or(-1);  // -1: no limit
  const double old_period = number_in(group / "cpu.cfs_period_us").value_or(0);
  return old_quota > 0 && old_period > 0 ? old_quota / old_period : unlimited;
}

// A limit anywhere above a group binds it. Inside a container the path may be the host's: then only its end, the root
// of the mount, is there.
template <class Limit>
double tightest(const fs::path& root, fs::path group, const Limit& limit) {
  double least = limit(root);
  for (group = group.relative_path(); !group.empty(); group = group.parent_path()) {
    least = std::min(least, limit(root / group));
  }
  return least;
}

// One line of /proc/self/cgroup, "number:controllers:path"; version 2 names no controllers.
struct Membership {
  std::string controllers;
  fs::path group;

  [[nodiscard]] bool has(const std::string& controller) const {
    return ("," + controllers + ",").find("," + controller + ",") != std::string::npos;
  }
};

std::vector<Membership> memberships_in(std::istream& text) {
  std::vector<Membership> memberships;
  for (std::string line; std::getline(text, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    memberships.push_back({line.substr(first + 1, second - first - 1), line.substr(second + 1)});
  }
  return memberships;
}

}  // namespace

double free_of_cgroup(const fs::path& mount, std::istream& membership) {
  double free = unlimited;
  for (const Membership& member : memberships_in(membership)) {
    const auto limit = [&](const Names& names) {
      return tightest(mount / names.folder, member.group, [&](const fs::path& path) { return free_in(path, names); });
    };
    if (member.controllers.empty()) free = std::min(free, limit(version_2));
    if (member.has("memory")) free = std::min(free, limit(version_1));
  }
  return free;
}

double processors_of_cgroup(const fs::path& mount, std::istream& membership) {
  double processors = unlimited;
  for (const Membership& member : memberships_in(membership)) {
    if (member.controllers.empty()) processors = std::min(processors, tightest(mount, member.group, processors_in));
    if (member.has("cpu")) processors = std::min(processors, tightest(mount / "cpu", member.group, processors_in));
  }
  return processors;
}

}  // namespace pleat
