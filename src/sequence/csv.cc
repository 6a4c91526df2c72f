#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "sequence/formats.h"
#include "sequence/text.h"

namespace pleat {
namespace {

[[noreturn]] void throw_at(const LineReader& lines, std::int64_t line_number, const std::string& why,
                           const char* hint) {
  throw Error(ErrorCode::bad_input, quoted(lines.file()) + ", line " + std::to_string(line_number) + ": " + why, hint);
}

// One row at a time. A row is a line, or several where a quoted value holds line breaks.
class RowReader {
 public:
  RowReader(LineReader& lines, char delimiter) : lines_(lines), delimiter_(delimiter) {}

  // False at the end of the file. Skips rows without any value.
  bool next() {
    while (const auto line = lines_.next()) {
      first_line_ = lines_.line_number();
      parse(*line);
      if (malformed_ || std::any_of(fields_.begin(), fields_.end(), [](const auto& f) { return !f.empty(); })) {
        return true;
      }
    }
    return false;
  }

  [[nodiscard]] const std::vector<std::string>& fields() const { return fields_; }
  // Whether a value goes on after its closing quote.
  [[nodiscard]] bool malformed() const { return malformed_; }
  [[nodiscard]] std::int64_t line_number() const { return first_line_; }

 private:
  void parse(std::string_view line) {
    fields_.clear();
    malformed_ = false;
    while (true) {
      std::string quoted_value;
      const std::string_view ahead = trim_left(line);
      const bool is_quoted = ahead.starts_with('"');
      if (is_quoted) line = take_quoted(ahead.substr(1), quoted_value);
      const std::size_t end = std::min(line.find(delimiter_), line.size());
      const std::string_view bare = trimmed(line.substr(0, end));
      malformed_ = malformed_ || (is_quoted && !bare.empty());
      fields_.emplace_back(is_quoted ? trimmed(quoted_value) : bare);
      if (end == line.size()) return;
      line.remove_prefix(end + 1);
    }
  }

  // Puts the value into `value` and returns what follows its closing quote, reading on over line ends.
  std::string_view take_quoted(std::string_view rest, std::string& value) {
    while (true) {
      const std::size_t quote = rest.find('"');
      value += rest.substr(0, quote);
      if (value.size() > max_text_bytes) {
        throw_at(lines_, first_line_, "a quoted value is longer than 64 MiB", "is a closing quote missing?");
      }
      if (quote == std::string_view::npos) {
        const auto line = lines_.next();
        if (!line) throw_at(lines_, first_line_, "a quote is never closed", "close it, or double a quote inside it");
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

  // A tab is a blank in a CSV but not in a TSV, where it is the delimiter.
  [[nodiscard]] std::string_view trim_left(std::string_view text) const {
    const char* const blanks = delimiter_ == '\t' ? " " : " \t";
    return text.substr(std::min(text.find_first_not_of(blanks), text.size()));
  }

  LineReader& lines_;
  char delimiter_;
  std::vector<std::string> fields_;
  std::int64_t first_line_ = 0;
  bool malformed_ = false;
};

struct Columns {
  std::size_t id = 0;
  std::size_t sequence = 0;
  std::optional<std::size_t> description;
  std::size_t count = 0;
};

Columns find_columns(const RowReader& rows, const LineReader& lines) {
  constexpr const char* hint = "the first row names the columns; id and sequence are needed, description is optional";
  const auto find = [&](std::string_view name) -> std::optional<std::size_t> {
    std::optional<std::size_t> found;
    for (std::size_t i = 0; i < rows.fields().size(); ++i) {
      if (lower_case(rows.fields()[i]) != name) continue;
      if (found) throw_at(lines, rows.line_number(), "two columns are named " + quoted(name), hint);
      found = i;
    }
    return found;
  };
  const auto id = find("id");
  const auto sequence = find("sequence");
  if (!id || !sequence) {
    throw_at(lines, rows.line_number(), "no column is named " + quoted(std::string_view(id ? "sequence" : "id")), hint);
  }
  return {*id, *sequence, find("description"), rows.fields().size()};
}

// A row may lack columns that are not needed, or have empty ones too many; anything else has shifted values.
std::string why_malformed(const RowReader& rows, const Columns& columns) {
  const auto& fields = rows.fields();
  const std::string where = "line " + std::to_string(rows.line_number()) + ": ";
  if (rows.malformed()) return where + "a value goes on after its closing quote";
  const bool has_extra =
      std::any_of(fields.begin() + static_cast<std::ptrdiff_t>(std::min(columns.count, fields.size())), fields.end(),
                  [](const auto& field) { return !field.empty(); });
  if (has_extra || fields.size() <= std::max(columns.id, columns.sequence)) {
    return where + std::to_string(fields.size()) + " values where the header row names " +
           std::to_string(columns.count) + " columns";
  }
  return {};
}

}  // namespace

void read_csv(LineReader& lines, char delimiter, const RecordSink& sink) {
  RowReader rows(lines, delimiter);
  if (!rows.next()) return;
  const Columns columns = find_columns(rows, lines);
  RawRecord record;
  while (rows.next()) {
    const auto value = [&rows](std::size_t column) {
      return column < rows.fields().size() ? rows.fields()[column] : std::string();
    };
    record.id = value(columns.id);
    record.sequence = value(columns.sequence);
    record.description = columns.description ? value(*columns.description) : std::string();
    record.malformed = why_malformed(rows, columns);
    sink(record);
  }
}

}  // namespace pleat
