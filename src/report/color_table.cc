#include "report/color_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <string_view>
#include <unordered_map>

#include "core/error.h"
#include "core/file.h"
#include "core/printable.h"

namespace pleat {
namespace {

using Row = std::vector<std::string>;

// The next row of a table, and where it ends.
Row next_row(std::string_view text, std::size_t& at, char separator) {
  Row row(1);
  bool quoted = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      if (c != '"') {
        row.back() += c;
      } else if (at + 1 < text.size() && text[at + 1] == '"') {
        row.back() += text[at++];
      } else {
        quoted = false;
      }
    } else if (c == '"' && separator == ',' && row.back().empty()) {
      quoted = true;
    } else if (c == separator) {
      row.emplace_back();
    } else if (c == '\n') {
      ++at;
      break;
    } else if (c != '\r') {
      row.back() += c;
    }
  }
  return row;
}

std::pair<std::string, std::string> divided(const std::string& argument) {
  const std::size_t colon = argument.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == argument.size()) {
    throw Error(ErrorCode::usage, "--color takes TABLE:COLUMN, and '" + printable(argument) + "' is not that",
                "such as --color families.csv:family");
  }
  return {argument.substr(0, colon), argument.substr(colon + 1)};
}

std::unordered_map<std::string, std::string> values_by_id(const std::string& file, const std::string& column) {
  std::string text = read_text_file(file);
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  const char separator = text.substr(0, text.find('\n')).find('\t') == std::string::npos ? ',' : '\t';
  std::size_t at = 0;
  const Row head = next_row(text, at, separator);
  const auto wanted = std::ranges::find(head, column);
  if (wanted == head.end()) {
    throw Error(ErrorCode::usage, "'" + file + "' has no column '" + printable(column) + "'",
                "it has " + printable(fmt::format("{}", fmt::join(head, ", ")), 200));
  }
  const auto named = std::ranges::find(head, "id");
  const auto id_column = static_cast<std::size_t>(named == head.end() ? 0 : named - head.begin());
  const auto value_column = static_cast<std::size_t>(wanted - head.begin());
  std::unordered_map<std::string, std::string> values;
  while (at < text.size()) {
    Row row = next_row(text, at, separator);
    if (row.size() <= std::max(id_column, value_column) || row[value_column].empty()) continue;
    const auto [found, is_new] = values.try_emplace(row[id_column], row[value_column]);
    if (!is_new && found->second != row[value_column]) {
      throw Error(ErrorCode::bad_input, "'" + file + "' has two values for '" + printable(row[id_column]) + "'");
    }
  }
  return values;
}

// The whole text as a number; NaN where it is none.
float number_in(const std::string& text) {
  float value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  return is_number ? value : std::numeric_limits<float>::quiet_NaN();
}

void rank_words(const std::vector<const std::string*>& values, Colors& colors) {
  std::map<std::string, std::int64_t> counts;
  for (const std::string* const value : values) {
    if (value != nullptr) ++counts[*value];
  }
  for (const auto& [word, count] : counts) colors.words.push_back(word);
  std::ranges::sort(colors.words, [&](const std::string& a, const std::string& b) {
    return std::pair(-counts[a], a) < std::pair(-counts[b], b);
  });
  std::unordered_map<std::string, std::int32_t> places;
  for (const std::string& word : colors.words) places.try_emplace(word, static_cast<std::int32_t>(places.size()));
  for (const std::string* const value : values) colors.word.push_back(value == nullptr ? -1 : places.at(*value));
}

}  // namespace

Colors read_colors(const std::string& argument, const RecordTable& records) {
  Colors colors;
  if (argument.empty()) return colors;
  const auto [file, column] = divided(argument);
  const auto by_id = values_by_id(file, column);
  colors.name = column;
  std::vector<const std::string*> values;
  colors.are_numbers = true;
  for (const std::string& id : records.id) {
    const auto found = by_id.find(id);
    values.push_back(found == by_id.end() ? nullptr : &found->second);
    const bool has_value = found != by_id.end();
    if (has_value) ++colors.colored;
    colors.number.push_back(has_value ? number_in(found->second) : std::numeric_limits<float>::quiet_NaN());
    if (has_value && !std::isfinite(colors.number.back())) colors.are_numbers = false;
  }
  if (colors.colored == 0) {
    throw Error(ErrorCode::bad_input, "'" + file + "' has a value for none of the records",
                "ids must be equal, letter for letter; pleat inspect --table all shows them");
  }
  if (!colors.are_numbers) rank_words(values, colors);
  return colors;
}

}  // namespace pleat
