#include "machine/machine.h"

#include <ATen/Parallel.h>
#include <malloc.h>
#include <sys/resource.h>
#include <tbb/global_control.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

#include "machine/cgroup.h"

namespace pleat {

namespace {

double free_of_machine() {
  std::ifstream in("/proc/meminfo");
  std::string key;
  double kibibytes = 0;
  std::string unit;
  while (in >> key >> kibibytes) {
    if (key == "MemAvailable:") return kibibytes * 1024;
    std::getline(in, unit);
  }
  return unlimited;  // a system that does not say: leave the decision to the allocator
}

// What `ulimit -v` leaves, which some schedulers set.
double free_of_address_space() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return unlimited;
  double pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return static_cast<double>(limit.rlim_cur) - pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

}  // namespace

double available_memory() {
  std::ifstream membership("/proc/self/cgroup");
  const double free =
      std::min({free_of_machine(), free_of_address_space(), free_of_cgroup("/sys/fs/cgroup", membership)});
  return std::max(0.0, free);
}

std::int64_t usable_processors() {
  std::ifstream membership("/proc/self/cgroup");
  const double limit = std::ceil(processors_of_cgroup("/sys/fs/cgroup", membership));
  // OpenMP has looked at the processors this process is bound to, and at its variable.
  const std::int64_t threads = at::get_num_threads();
  return limit < static_cast<double>(threads) ? std::max<std::int64_t>(1, std::llround(limit)) : threads;
}

void use_allowed_processors() {
  const std::int64_t processors = usable_processors();
  at::set_num_threads(static_cast<int>(processors));
  // Lasts as long as the object.
  static const tbb::global_control limit(tbb::global_control::max_allowed_parallelism,
                                         static_cast<std::size_t>(processors));
}

// getrusage() would count what the process was forked from, before it became pleat.
std::int64_t peak_rss_bytes() {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("VmHWM:")) return 1024 * std::stoll(line.substr(line.find(':') + 1));
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return 1024 * usage.ru_maxrss;
}

void return_freed_memory() { mallopt(M_MMAP_THRESHOLD, 1 << 20); }

void keep_freed_memory() {
  mallopt(M_MMAP_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
}

double process_seconds() {
  // Field 22 of /proc/self/stat: ticks since boot at which the process started. Field 2, the program's name, may hold
  // blanks and ends with the last closing parenthesis.
  std::ifstream in("/proc/self/stat");
  std::string text;
  std::getline(in, text);
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  std::string skipped;
  for (int field = 3; field < 22; ++field) fields >> skipped;
  double ticks = 0;
  fields >> ticks;
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  const double uptime = static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
  return uptime - ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

std::string processor_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("model name")) return line.substr(std::min(line.size(), line.find(':') + 2));
  }
  return "a processor that does not say its name";
}

}  // namespace pleat
