// The limits of containers and batch systems.
#pragma once

#include <filesystem>
#include <istream>
#include <limits>

namespace pleat {

// Where nothing limits memory or processors.
inline constexpr double unlimited = std::numeric_limits<double>::max();

// Bytes that the control groups of a process leave it, the tightest of its group and those above it. `mount` is the
// folder of the control groups, `membership` the text of /proc/self/cgroup; versions 1 and 2 are known. `unlimited`
// where there is no limit. Pages of files that could be dropped count as free.
[[nodiscard]] double free_of_cgroup(const std::filesystem::path& mount, std::istream& membership);

// How many processors' time the limits of the control groups leave, 1.5 for instance; `unlimited` where there is
// no limit. As above.
[[nodiscard]] double processors_of_cgroup(const std::filesystem::path& mount, std::istream& membership);

}  // namespace pleat
