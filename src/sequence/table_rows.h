// Rows of a table of text with a header row, whatever its columns are for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sequence/line_reader.h"

namespace pleat {

inline constexpr std::string_view table_delimiters = ",;\t|";

// Throws Error(bad_input) that begins with the file and the line.
[[noreturn]] void throw_at_line(const LineReader& lines, std::int64_t line_number, const std::string& why,
                                const std::string& hint);

struct TableField {
  std::string text;
  bool is_quoted = false;
};

// Whether nothing is there: no text, or NA, N/A, null, none or nan without quotes.
[[nodiscard]] bool is_missing(const TableField& field);

// One row at a time. A row is a line, or several where a quoted value holds line breaks.
class RowReader {
 public:
  RowReader(LineReader& lines, char delimiter, bool has_quotes)
      : lines_(lines), delimiter_(delimiter), has_quotes_(has_quotes) {}

  // False at the end of the file. Skips rows without any value. Throws BrokenInput, also for a quote that is never
  // closed.
  [[nodiscard]] bool next();

  [[nodiscard]] const std::vector<TableField>& fields() const { return fields_; }
  // The text of a column; nothing where the row has no such column.
  [[nodiscard]] std::string text(std::size_t column) const {
    return column < fields_.size() ? fields_[column].text : std::string();
  }
  // Why the row cannot be taken apart; empty where it can.
  [[nodiscard]] const std::string& malformed() const { return malformed_; }
  // The same where the header has so many columns, of which the row must have the one at `last_needed`. A row may lack
  // columns that are not needed, or have empty ones too many; anything else has shifted values.
  [[nodiscard]] std::string why_malformed(std::size_t columns, std::size_t last_needed) const;
  [[nodiscard]] std::int64_t line_number() const { return first_line_; }
  // Whether next() ended by an exception inside a row.
  [[nodiscard]] bool in_row() const { return in_row_; }

 private:
  void parse(std::string_view line);
  [[nodiscard]] std::string_view take_quoted(std::string_view rest, std::string& value);
  [[noreturn]] void throw_open_quote(const std::string& what) const;
  [[nodiscard]] std::string_view trim_left(std::string_view text) const;

  LineReader& lines_;
  char delimiter_;
  bool has_quotes_;
  std::vector<TableField> fields_;
  std::int64_t first_line_ = 0;
  std::string malformed_;
  bool in_row_ = false;
};

// A header line, as a delimiter makes it.
struct TableHeader {
  char delimiter = ',';
  bool has_quotes = true;
  std::vector<std::string> names;

  // The column of that name, but for case and with blanks for '_': "Protein ID" is protein_id.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const;
  // "divided by ',', are 'id', 'seq'"; the first twelve of them.
  [[nodiscard]] std::string columns_text() const;
};

// "protein_id" of "Protein ID".
[[nodiscard]] std::string plain_column_name(std::string_view name);

// Whether a header has the columns that somebody needs.
using HeaderTest = std::function<bool(const TableHeader&)>;

// With the delimiter that makes a header of the line which passes the test; without one, as the most columns come of
// it.
[[nodiscard]] TableHeader best_header(std::string_view line, std::string_view delimiters, const HeaderTest& test);

// The first line behind comments (#, unless what follows passes the test) and the line `sep=;` of a spreadsheet, whose
// delimiter counts where `may_be_told`. Nothing in a file without one. Throws BrokenInput.
[[nodiscard]] std::optional<TableHeader> read_header(LineReader& lines, std::string_view delimiters, bool may_be_told,
                                                     const HeaderTest& test);

// Throws Error(bad_input) where another column has the same name.
void check_single_column(const LineReader& lines, const TableHeader& header, std::size_t column);

// Whether a line is `sep=;` or `"sep=;"`, by which spreadsheets are told the delimiter.
[[nodiscard]] bool is_separator_line(std::string_view line);

}  // namespace pleat
