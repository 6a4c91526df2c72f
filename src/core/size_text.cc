#include "core/size_text.h"

#include <array>
#include <cstdio>

namespace pleat {

std::string size_text(std::uint64_t bytes) {
  struct Unit {
    double bytes;
    const char* name;
  };
  constexpr std::array units{Unit{1e9, "GB"}, Unit{1e6, "MB"}, Unit{1e3, "kB"}};
  const auto value = static_cast<double>(bytes);
  for (const Unit& unit : units) {
    if (value < unit.bytes) continue;
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.1f %s", value / unit.bytes, unit.name);
    return text.data();
  }
  return std::to_string(bytes) + " B";
}

}  // namespace pleat
