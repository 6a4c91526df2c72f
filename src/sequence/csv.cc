#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "sequence/dataset.h"
#include "sequence/formats.h"
#include "sequence/text.h"

namespace pleat {
namespace {

constexpr std::string_view delimiters = ",;\t|";
constexpr std::array<std::string_view, 7> id_names{"id",     "name",    "entry",     "accession",
                                                   "header", "protein", "protein_id"};
constexpr std::array<std::string_view, 4> sequence_names{"sequence", "seq", "aa_sequence", "protein_sequence"};
constexpr std::array<std::string_view, 1> description_names{"description"};
constexpr std::array<std::string_view, 7> missing_words{"na", "n/a", "#n/a", "null", "none", "nan", "<na>"};

[[noreturn]] void throw_at(const LineReader& lines, std::int64_t line_number, const std::string& why,
                           const std::string& hint) {
  throw Error(ErrorCode::bad_input, quoted(lines.file()) + ", line " + std::to_string(line_number) + ": " + why, hint);
}

struct Field {
  std::string text;
  bool is_quoted = false;
};

// The fields of a line without quotes in it.
std::vector<Field> plain_fields(std::string_view line, char delimiter) {
  std::vector<Field> fields;
  while (true) {
    const std::size_t end = std::min(line.find(delimiter), line.size());
    fields.push_back({std::string(trimmed(line.substr(0, end))), false});
    if (end == line.size()) return fields;
    line.remove_prefix(end + 1);
  }
}

// One row at a time. A row is a line, or several where a quoted value holds line breaks.
class RowReader {
 public:
  RowReader(LineReader& lines, char delimiter, bool has_quotes)
      : lines_(lines), delimiter_(delimiter), has_quotes_(has_quotes) {}

  // False at the end of the file. Skips rows without any value.
  bool next() {
    while (const auto line = lines_.next()) {
      first_line_ = lines_.line_number();
      malformed_.clear();
      if (trimmed(*line) == "\x1A") continue;
      in_row_ = true;
      parse(*line);
      in_row_ = false;
      const bool is_empty = std::ranges::all_of(fields_, [](const Field& field) { return field.text.empty(); });
      if (!malformed_.empty() || lines_.is_cut() || !is_empty) return true;
    }
    return false;
  }

  // Splits a line that was read already.
  void parse(std::string_view line) {
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

  [[nodiscard]] const std::vector<Field>& fields() const { return fields_; }
  // Why the row cannot be taken apart; empty where it can.
  [[nodiscard]] const std::string& malformed() const { return malformed_; }
  [[nodiscard]] std::int64_t line_number() const { return first_line_; }
  // Whether next() ended by an exception inside a row.
  [[nodiscard]] bool in_row() const { return in_row_; }

 private:
  // Puts the value into `value` and returns what follows its closing quote, reading on over line ends.
  std::string_view take_quoted(std::string_view rest, std::string& value) {
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
  [[noreturn]] void throw_open_quote(const std::string& what) const {
    throw BrokenInput(quoted(lines_.file()) + ", line " + std::to_string(first_line_) + ": " + what,
                      "close the quote, or double a quote inside a value", true);
  }

  // A tab is a blank in a CSV but not in a TSV, where it is the delimiter.
  [[nodiscard]] std::string_view trim_left(std::string_view text) const {
    const char* const blanks = delimiter_ == '\t' ? " " : " \t";
    return text.substr(std::min(text.find_first_not_of(blanks), text.size()));
  }

  LineReader& lines_;
  char delimiter_;
  bool has_quotes_;
  std::vector<Field> fields_;
  std::int64_t first_line_ = 0;
  std::string malformed_;
  bool in_row_ = false;
};

struct Columns {
  std::size_t id = 0;
  std::size_t sequence = 0;
  std::optional<std::size_t> description;
  std::size_t count = 0;
};

// A header line, as a delimiter makes it.
struct Header {
  char delimiter = ',';
  bool has_quotes = true;
  std::vector<std::string> names;
};

std::string unquoted(std::string_view name) {
  if (name.size() >= 2 && name.starts_with('"') && name.ends_with('"')) name = name.substr(1, name.size() - 2);
  return std::string(trimmed(name));
}

Header header_of(std::string_view line, char delimiter) {
  Header header{delimiter, delimiter != '\t' || trimmed(line, " ").starts_with('"'), {}};
  for (const Field& field : plain_fields(line, delimiter)) {
    header.names.push_back(header.has_quotes ? unquoted(field.text) : field.text);
  }
  return header;
}

// "Protein ID" and protein_id are one name.
std::string plain_name(std::string_view name) {
  std::string plain = lower_case(name);
  std::ranges::replace(plain, ' ', '_');
  return plain;
}

// The first of the names that a column has; with `wanted` only that one, exactly or but for case.
std::optional<std::size_t> find_column(const Header& header, const std::string& wanted,
                                       std::span<const std::string_view> known) {
  const auto place_of = [&](std::string_view name) -> std::optional<std::size_t> {
    for (std::size_t i = 0; i < header.names.size(); ++i) {
      if (plain_name(header.names[i]) == name) return i;
    }
    return std::nullopt;
  };
  if (!wanted.empty()) return place_of(plain_name(wanted));
  for (const std::string_view name : known) {
    if (const auto place = place_of(name)) return place;
  }
  return std::nullopt;
}

std::optional<Columns> columns_of(const Header& header, const InputFile& input) {
  const auto id = find_column(header, input.id_column, id_names);
  const auto sequence = find_column(header, input.sequence_column, sequence_names);
  if (!id || !sequence) return std::nullopt;
  return Columns{*id, *sequence, find_column(header, input.description_column, description_names), header.names.size()};
}

std::string_view possible_delimiters(const InputFile& input) {
  if (input.delimiter != 0) return {&input.delimiter, 1};
  return input.format == InputFormat::tsv ? "\t" : delimiters;
}

// With the delimiter that makes the columns of it; without one, as the most columns come of it.
Header best_header(std::string_view line, const InputFile& input) {
  Header most;
  for (const char delimiter : possible_delimiters(input)) {
    Header header = header_of(line, delimiter);
    if (columns_of(header, input)) return header;
    if (header.names.size() > most.names.size()) most = std::move(header);
  }
  return most;
}

std::string delimiter_text(char delimiter) {
  return delimiter == '\t' ? "a tab" : "'" + std::string(1, delimiter) + "'";
}

std::string joined(std::span<const std::string_view> names) {
  std::string text;
  for (const std::string_view name : names) text.append(text.empty() ? "" : ", ").append(name);
  return text;
}

[[noreturn]] void throw_missing_column(const LineReader& lines, const Header& header, const std::string& wanted,
                                       std::string_view what, std::span<const std::string_view> known) {
  constexpr std::size_t most_names = 12;
  std::string seen;
  for (std::size_t i = 0; i < std::min(header.names.size(), most_names); ++i) {
    seen += (i == 0 ? "" : ", ") + quoted(std::string_view(header.names[i]));
  }
  if (header.names.size() > most_names) seen += ", ...";
  const std::string name = wanted.empty() ? std::string(what) : quoted(std::string_view(wanted));
  throw_at(lines, lines.line_number(),
           (wanted.empty() ? "no column for the " : "no column is called ") + name + "; the columns, divided by " +
               delimiter_text(header.delimiter) + ", are " + seen,
           "the first row names the columns (put one on top where it is missing: id,sequence); known for the " +
               std::string(what) + " are " + joined(known) +
               "; any other can be given in the manifest, as inputs: [{file: F, columns: {id: A, sequence: B}}]");
}

void check_doubles(const LineReader& lines, const Header& header, std::size_t column) {
  const std::string name = plain_name(header.names[column]);
  if (std::ranges::count_if(header.names, [&](const auto& other) { return plain_name(other) == name; }) == 1) return;
  throw_at(lines, lines.line_number(), "two columns are named " + quoted(std::string_view(name)),
           "give one of them another name");
}

Columns find_columns(const LineReader& lines, const Header& header, const InputFile& input) {
  const auto columns = columns_of(header, input);
  if (!columns) {
    const bool no_id = !find_column(header, input.id_column, id_names);
    if (no_id) throw_missing_column(lines, header, input.id_column, "id", id_names);
    throw_missing_column(lines, header, input.sequence_column, "sequence", sequence_names);
  }
  if (!input.description_column.empty() && !columns->description) {
    throw_missing_column(lines, header, input.description_column, "description", description_names);
  }
  check_doubles(lines, header, columns->id);
  check_doubles(lines, header, columns->sequence);
  return *columns;
}

// The header, behind comments and the line `sep=;` of a spreadsheet. Nothing in a file without one.
std::optional<Header> read_header(LineReader& lines, InputFile input) {
  while (const auto line = lines.next()) {
    std::string_view text = trimmed(*line, " ");
    if (text.find_first_not_of(" \t,;|\x1A") == std::string_view::npos) continue;
    if (is_separator_line(text)) {
      if (text.starts_with('"')) text.remove_prefix(1);
      if (input.delimiter == 0 && text.size() > 4 && text[4] != '"') input.delimiter = text[4];
      continue;
    }
    if (!text.starts_with('#')) return best_header(*line, input);
    if (is_table_header(text, input)) return best_header(text.substr(1), input);
  }
  return std::nullopt;
}

// A row may lack columns that are not needed, or have empty ones too many; anything else has shifted values.
std::string why_malformed(const RowReader& rows, const Columns& columns) {
  const auto& fields = rows.fields();
  if (!rows.malformed().empty()) return rows.malformed();
  const bool has_extra =
      std::any_of(fields.begin() + static_cast<std::ptrdiff_t>(std::min(columns.count, fields.size())), fields.end(),
                  [](const Field& field) { return !field.text.empty(); });
  if (has_extra || fields.size() <= std::max(columns.id, columns.sequence)) {
    return std::to_string(fields.size()) + " values where the header row names " + std::to_string(columns.count) +
           " columns";
  }
  return {};
}

bool is_missing(const Field& field) {
  return field.text.empty() ||
         (!field.is_quoted && std::ranges::find(missing_words, lower_case(field.text)) != missing_words.end());
}

void judge(const RowReader& rows, const Columns& columns, bool is_cut, RawRecord& record) {
  record.malformed_as = {};
  record.malformed.clear();
  const std::string where = "line " + std::to_string(rows.line_number()) + ": ";
  if (is_cut) {
    record.malformed_as = RecordCode::cut_off;
    record.malformed = where + "the input breaks off in this row";
    return;
  }
  if (const std::string why = why_malformed(rows, columns); !why.empty()) {
    record.malformed_as = RecordCode::bad_row;
    record.malformed = where + why;
    return;
  }
  for (const auto& [column, name] : {std::pair{columns.sequence, "sequence"}, std::pair{columns.id, "id"}}) {
    const Field& field = rows.fields()[column];
    if (!is_missing(field)) continue;
    record.malformed_as = RecordCode::missing_value;
    record.malformed = where + "the row has no " + name;
    if (!field.text.empty()) {
      record.malformed += ": " + quoted(std::string_view(field.text)) + " without quotes stands for nothing";
    }
    return;
  }
}

}  // namespace

bool is_separator_line(std::string_view line) { return line.starts_with("sep=") || line.starts_with("\"sep="); }

bool is_table_header(std::string_view line, const InputFile& input) {
  line = trimmed(line, " ");
  if (line.starts_with('#')) line = trimmed(line.substr(1), " ");
  return columns_of(best_header(line, input), input).has_value();
}

void read_table(LineReader& lines, const InputFile& input, const RecordSink& sink) {
  const std::optional<Header> header = read_header(lines, input);
  if (!header) return;
  const Columns columns = find_columns(lines, *header, input);
  RowReader rows(lines, header->delimiter, header->has_quotes);
  RawRecord record;
  const auto give = [&](bool is_cut) {
    const auto value = [&rows](std::size_t column) {
      return column < rows.fields().size() ? rows.fields()[column].text : std::string();
    };
    record.id = value(columns.id);
    record.sequence = value(columns.sequence);
    record.description = columns.description ? value(*columns.description) : std::string();
    judge(rows, columns, is_cut, record);
    sink(record);
  };
  try {
    while (rows.next()) give(lines.is_cut());
  } catch (const BrokenInput&) {
    if (rows.in_row()) give(true);
    throw;
  }
}

}  // namespace pleat
