#include "pleat/runtime/machine.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <fstream>
#include <limits>
#include <sstream>
#include <string>

namespace pleat {

double available_memory() {
  std::ifstream in("/proc/meminfo");
  std::string key;
  double kibibytes = 0;
  std::string unit;
  while (in >> key >> kibibytes) {
    if (key == "MemAvailable:") return kibibytes * 1024;
    std::getline(in, unit);
  }
  // A system that does not say: leave the decision to the allocator.
  return std::numeric_limits<double>::max();
}

std::int64_t peak_rss_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
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

}  // namespace pleat
