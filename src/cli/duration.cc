#include "cli/duration.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <vector>

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

// "55:00", "03:55:00", "1-02", "1-02:00" or "1-02:00:00", as SLURM takes them; 0 where it cannot be read. With days the
// first number behind them is hours, without them two numbers are minutes and seconds.
double parse_clock(std::string_view text) {
  double days = 0;
  const std::size_t dash = text.find('-');
  const auto number_in = [](std::string_view digits) {
    long number = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    const bool whole = error == std::errc() && end == digits.data() + digits.size() && digits.front() != '-';
    return whole && number <= 1'000'000 ? number : -1;
  };
  if (dash != std::string_view::npos) {
    const long number = dash == 0 ? -1 : number_in(text.substr(0, dash));
    if (number < 0) return 0;
    days = static_cast<double>(number);
    text.remove_prefix(dash + 1);
  }
  std::vector<long> numbers;
  while (true) {
    const std::size_t end = std::min(text.find(':'), text.size());
    const long number = end == 0 ? -1 : number_in(text.substr(0, end));
    if (number < 0 || (!numbers.empty() && number > 59)) return 0;
    numbers.push_back(number);
    if (end == text.size()) break;
    text.remove_prefix(end + 1);
  }
  const bool has_days = dash != std::string_view::npos;
  if (numbers.size() > 3 || (numbers.size() == 1 && !has_days)) return 0;
  double unit = has_days || numbers.size() == 3 ? 3600 : 60;
  double seconds = days * 86400;
  for (const long number : numbers) {
    seconds += static_cast<double>(number) * unit;
    unit /= 60;
  }
  return seconds;
}

}  // namespace

double seconds_in(const std::string& text) {
  const bool is_clock = text.find_first_of(":-") != std::string::npos;
  const double seconds = is_clock ? parse_clock(text) : parse(text);
  if (seconds > 0) return seconds;
  throw Error(ErrorCode::usage, "'" + text + "' is no length of time",
              "write it like 3h55m, 90m, 45s or 14100, or as SLURM does: 03:55:00, 1-02:00:00");
}

}  // namespace pleat::cli
