#include "cli/duration.h"

#include <charconv>
#include <string_view>

#include "core/error.h"

namespace pleat::cli {
namespace {

// 0 for a letter that is no unit.
double seconds_of(char unit) {
  switch (unit) {
    case 'd': return 86400;
    case 'h': return 3600;
    case 'm': return 60;
    case 's': return 1;
    default: return 0;
  }
}

// 0 where it cannot be read.
double parse(std::string_view text) {
  double seconds = 0;
  double last_unit = 1e9;  // units come in falling order, each once
  while (!text.empty()) {
    long number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || number < 0 || number > 1'000'000'000) return 0;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const double unit = text.empty() ? 1 : seconds_of(text.front());
    const bool bare = text.empty();
    if (unit == 0 || unit >= last_unit || (bare && seconds > 0)) return 0;
    if (!bare) text.remove_prefix(1);
    last_unit = unit;
    seconds += static_cast<double>(number) * unit;
  }
  return seconds;
}

}  // namespace

double seconds_in(const std::string& text) {
  const double seconds = parse(text);
  if (seconds > 0) return seconds;
  throw Error(ErrorCode::usage, "'" + text + "' is no length of time", "write it like 3h55m, 90m, 45s or 14100");
}

}  // namespace pleat::cli
