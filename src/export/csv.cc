#include "export/csv.h"

#include <array>
#include <charconv>
#include <cmath>

namespace pleat {

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

void append_number(std::string& line, float value) {
  line += ',';
  if (std::isnan(value)) return;
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  line.append(text.data(), end);
}

}  // namespace pleat
