#include "sequence/table_rows.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/text.h"
#include "sequence/text.h"

namespace pleat {
namespace {

constexpr std::array<std::string_view, 7> missing_words{"na", "n/a", "#n/a", "null", "none", "nan", "<na>"};

// The fields of a line without quotes in it.
std::vector<TableField> plain_fields(std::string_view line, char delimiter) {
  std::vector<TableField> fields;
  while (true) {
    const std::size_t end = std::min(line.find(delimiter), line.size());
    fields.push_back({std::string(trimmed(line.substr(0, end))), false});
    if (end == line.size()) return fields;
    line.remove_prefix(end + 1);
  }
}

std::string unquoted(std::string_view name) {
  if (name.size() >= 2 && name.starts_with('"') && name.ends_with('"')) name = name.substr(1, name.size() - 2);
  return std::string(trimmed(name));
}

TableHeader header_of(std::string_view line, char delimiter) {
  TableHeader header{delimiter, delimiter != '\t' || trimmed(line, " ").starts_with('"'), {}};
  for (const TableField& field : plain_fields(line, delimiter)) {
    header.names.push_back(header.has_quotes ? unquoted(field.text) : field.text);
  }
  return header;
}

std::string delimiter_text(char delimiter) {
  return delimiter == '\t' ? "a tab" : "'" + std::string(1, delimiter) + "'";
}

}  // namespace

void throw_at_line(const LineReader& lines, std::int64_t line_number, const std::string& why, const std::string& hint) {
  throw Error(ErrorCode::bad_input, quoted(lines.file()) + ", line " + std::to_string(line_number) + ": " + why, hint);
}

bool is_missing(const TableField& field) {
  return field.text.empty() ||
         (!field.is_quoted && std::ranges::find(missing_words, lower_case(field.text)) != missing_words.end());
}

bool RowReader::next() {
  while (const auto line = lines_.next()) {
    first_line_ = lines_.line_number();
    malformed_.clear();
    if (trimmed(*line) == "\x1A") continue;
    in_row_ = true;
    parse(*line);
    in_row_ = false;
    const bool is_empty = std::ranges::all_of(fields_, [](const TableField& field) { return field.text.empty(); });
    if (!malformed_.empty() || lines_.is_cut() || !is_empty) return true;
  }
  return false;
}

void RowReader::parse(std::string_view line) {
  fields_.clear();
  if (line.find('\0') != std::string_view::npos) malformed_ = "the line holds a NUL (byte 0x00)";
  if (!has_quotes_) {
    fields_ = plain_fields(line, delimiter_);
    return;
  }
  while (true) {
    std::string quoted_value;
    const std::string_view ahead = trim_left(line);
    const bool is_quoted = ahead.starts_with('"');
    if (is_quoted) line = take_quoted(ahead.substr(1), quoted_value);
    const std::size_t end = std::min(line.find(delimiter_), line.size());
    const std::string_view bare = trimmed(line.substr(0, end));
    if (is_quoted && !bare.empty()) malformed_ = "a value goes on after its closing quote";
    fields_.push_back({std::string(is_quoted ? trimmed(quoted_value) : bare), is_quoted});
    if (end == line.size()) return;
    line.remove_prefix(end + 1);
  }
}

// Puts the value into `value` and returns what follows its closing quote, reading on over line ends.
std::string_view RowReader::take_quoted(std::string_view rest, std::string& value) {
  while (true) {
    const std::size_t quote = rest.find('"');
    value += rest.substr(0, quote);
    if (value.size() > max_text_bytes) throw_open_quote("a quoted value is longer than 64 MiB");
    if (quote == std::string_view::npos) {
      const auto line = lines_.is_cut() ? std::nullopt : lines_.next();
      if (!line) throw_open_quote("a quote is never closed");
      value += '\n';
      rest = *line;
    } else if (rest.substr(quote + 1).starts_with('"')) {
      value += '"';
      rest.remove_prefix(quote + 2);
    } else {
      return rest.substr(quote + 1);
    }
  }
}

// The rows before are good; what stands behind the quote is not known.
void RowReader::throw_open_quote(const std::string& what) const {
  throw BrokenInput(quoted(lines_.file()) + ", line " + std::to_string(first_line_) + ": " + what,
                    "close the quote, or double a quote inside a value", true);
}

// A tab is a blank in a CSV but not in a TSV, where it is the delimiter.
std::string_view RowReader::trim_left(std::string_view text) const {
  const char* const blanks = delimiter_ == '\t' ? " " : " \t";
  return text.substr(std::min(text.find_first_not_of(blanks), text.size()));
}

std::string RowReader::why_malformed(std::size_t columns, std::size_t last_needed) const {
  if (!malformed_.empty()) return malformed_;
  const bool has_extra = std::any_of(fields_.begin() + static_cast<std::ptrdiff_t>(std::min(columns, fields_.size())),
                                     fields_.end(), [](const TableField& field) { return !field.text.empty(); });
  if (!has_extra && fields_.size() > last_needed) return {};
  return std::to_string(fields_.size()) + " values where the header row names " + std::to_string(columns) + " columns";
}

std::string plain_column_name(std::string_view name) {
  std::string plain = lower_case(name);
  std::ranges::replace(plain, ' ', '_');
  return plain;
}

std::optional<std::size_t> TableHeader::find(std::string_view name) const {
  const std::string plain = plain_column_name(name);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (plain_column_name(names[i]) == plain) return i;
  }
  return std::nullopt;
}

std::string TableHeader::columns_text() const {
  constexpr std::size_t most_names = 12;
  std::string seen;
  for (std::size_t i = 0; i < std::min(names.size(), most_names); ++i) {
    seen += (i == 0 ? "" : ", ") + quoted(std::string_view(names[i]));
  }
  if (names.size() > most_names) seen += ", ...";
  return "divided by " + delimiter_text(delimiter) + ", are " + seen;
}

TableHeader best_header(std::string_view line, std::string_view delimiters, const HeaderTest& test) {
  TableHeader most;
  for (const char delimiter : delimiters) {
    TableHeader header = header_of(line, delimiter);
    if (test(header)) return header;
    if (header.names.size() > most.names.size()) most = std::move(header);
  }
  return most;
}

std::optional<TableHeader> read_header(LineReader& lines, std::string_view delimiters, bool may_be_told,
                                       const HeaderTest& test) {
  char told = 0;
  while (const auto line = lines.next()) {
    std::string_view text = trimmed(*line, " ");
    if (text.find_first_not_of(" \t,;|\x1A") == std::string_view::npos) continue;
    if (is_separator_line(text)) {
      if (text.starts_with('"')) text.remove_prefix(1);
      if (may_be_told && text.size() > 4 && text[4] != '"') told = text[4];
      if (told != 0) delimiters = {&told, 1};
      continue;
    }
    if (!text.starts_with('#')) return best_header(*line, delimiters, test);
    text.remove_prefix(1);
    if (test(best_header(trimmed(text, " "), delimiters, test))) return best_header(text, delimiters, test);
  }
  return std::nullopt;
}

void check_single_column(const LineReader& lines, const TableHeader& header, std::size_t column) {
  const std::string name = plain_column_name(header.names[column]);
  if (std::ranges::count_if(header.names, [&](const auto& other) { return plain_column_name(other) == name; }) == 1) {
    return;
  }
  throw_at_line(lines, lines.line_number(), "two columns are named " + quoted(std::string_view(name)),
                "give one of them another name");
}

bool is_separator_line(std::string_view line) { return line.starts_with("sep=") || line.starts_with("\"sep="); }

}  // namespace pleat
