#include "report/color_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/error.h"
#include "core/printable.h"
#include "sequence/formats.h"
#include "sequence/line_reader.h"
#include "sequence/table_rows.h"
#include "sequence/text.h"

namespace pleat {
namespace {

// The header, and which of its columns it is.
std::pair<TableHeader, std::size_t> find_column(LineReader& lines, const std::string& file, const std::string& column) {
  const auto has_column = [&](const TableHeader& header) { return header.find(column).has_value(); };
  std::optional<TableHeader> header = read_header(lines, table_delimiters, true, has_column);
  if (header) {
    if (const auto found = header->find(column)) return {std::move(*header), *found};
  }
  throw Error(ErrorCode::usage, "'" + file + "' has no column '" + printable(column) + "'",
              header ? "its columns, " + header->columns_text() : "it is empty");
}

// The table is read as tables of sequences are.
std::unordered_map<std::string, std::string> values_by_id(const std::string& file, const std::string& column) {
  LineReader lines(file, nullptr);
  refuse_binary(lines.start(), InputFile(file), "colors");
  const auto [header, value_column] = find_column(lines, file, column);
  check_single_column(lines, header, value_column);
  const std::size_t id_column = header.find("id").value_or(0);
  RowReader rows(lines, header.delimiter, header.has_quotes);
  std::unordered_map<std::string, std::string> values;
  while (rows.next()) {
    const std::string why = rows.why_malformed(header.names.size(), std::max(id_column, value_column));
    if (!why.empty()) throw_at_line(lines, rows.line_number(), why, "correct the row, or leave it out");
    if (is_missing(rows.fields()[value_column])) continue;
    const std::string id = readable(rows.text(id_column));
    std::string value = readable(rows.text(value_column));
    const auto [found, is_new] = values.try_emplace(id, std::move(value));
    if (!is_new && found->second != readable(rows.text(value_column))) {
      throw Error(ErrorCode::bad_input, "'" + file + "' has two values for '" + printable(id) + "'",
                  "leave one of them in the table");
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

ColorSource color_source(const std::string& argument) {
  if (argument.empty()) return {};
  const std::size_t colon = argument.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == argument.size()) {
    throw Error(ErrorCode::usage, "--color takes TABLE:COLUMN, and '" + printable(argument) + "' is not that",
                "such as --color families.csv:family");
  }
  return {argument.substr(0, colon), argument.substr(colon + 1)};
}

Colors read_colors(const ColorSource& source, const RecordTable& records) {
  Colors colors;
  const auto& [file, column] = source;
  if (file.empty()) return colors;
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
