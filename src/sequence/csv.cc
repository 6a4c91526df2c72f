#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "sequence/dataset.h"
#include "sequence/formats.h"
#include "sequence/table_rows.h"
#include "sequence/text.h"

namespace pleat {
namespace {

constexpr std::array<std::string_view, 7> id_names{"id",     "name",    "entry",     "accession",
                                                   "header", "protein", "protein_id"};
constexpr std::array<std::string_view, 4> sequence_names{"sequence", "seq", "aa_sequence", "protein_sequence"};
constexpr std::array<std::string_view, 1> description_names{"description"};

struct Columns {
  std::size_t id = 0;
  std::size_t sequence = 0;
  std::optional<std::size_t> description;
  std::size_t count = 0;
};

// The first of the names that a column has; with `wanted` only that one.
std::optional<std::size_t> find_column(const TableHeader& header, const std::string& wanted,
                                       std::span<const std::string_view> known) {
  if (!wanted.empty()) return header.find(wanted);
  for (const std::string_view name : known) {
    if (const auto place = header.find(name)) return place;
  }
  return std::nullopt;
}

std::optional<Columns> columns_of(const TableHeader& header, const InputFile& input) {
  const auto id = find_column(header, input.id_column, id_names);
  const auto sequence = find_column(header, input.sequence_column, sequence_names);
  if (!id || !sequence) return std::nullopt;
  return Columns{*id, *sequence, find_column(header, input.description_column, description_names), header.names.size()};
}

std::string_view possible_delimiters(const InputFile& input) {
  if (input.delimiter != 0) return {&input.delimiter, 1};
  return input.format == InputFormat::tsv ? "\t" : table_delimiters;
}

HeaderTest has_columns(const InputFile& input) {
  return [&input](const TableHeader& header) { return columns_of(header, input).has_value(); };
}

std::string joined(std::span<const std::string_view> names) {
  std::string text;
  for (const std::string_view name : names) text.append(text.empty() ? "" : ", ").append(name);
  return text;
}

[[noreturn]] void throw_missing_column(const LineReader& lines, const TableHeader& header, const std::string& wanted,
                                       std::string_view what, std::span<const std::string_view> known) {
  const std::string name = wanted.empty() ? std::string(what) : quoted(std::string_view(wanted));
  throw_at_line(lines, lines.line_number(),
                (wanted.empty() ? "no column for the " : "no column is called ") + name + "; the columns, " +
                    header.columns_text(),
                "the first row names the columns (put one on top where it is missing: id,sequence); known for the " +
                    std::string(what) + " are " + joined(known) +
                    "; any other can be given in the manifest, as inputs: [{file: F, columns: {id: A, sequence: B}}]");
}

Columns find_columns(const LineReader& lines, const TableHeader& header, const InputFile& input) {
  const auto columns = columns_of(header, input);
  if (!columns) {
    const bool no_id = !find_column(header, input.id_column, id_names);
    if (no_id) throw_missing_column(lines, header, input.id_column, "id", id_names);
    throw_missing_column(lines, header, input.sequence_column, "sequence", sequence_names);
  }
  if (!input.description_column.empty() && !columns->description) {
    throw_missing_column(lines, header, input.description_column, "description", description_names);
  }
  check_single_column(lines, header, columns->id);
  check_single_column(lines, header, columns->sequence);
  return *columns;
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
  const std::string why = rows.why_malformed(columns.count, std::max(columns.id, columns.sequence));
  if (!why.empty()) {
    record.malformed_as = RecordCode::bad_row;
    record.malformed = where + why;
    return;
  }
  for (const auto& [column, name] : {std::pair{columns.sequence, "sequence"}, std::pair{columns.id, "id"}}) {
    const TableField& field = rows.fields()[column];
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

bool is_table_header(std::string_view line, const InputFile& input) {
  line = trimmed(line, " ");
  if (line.starts_with('#')) line = trimmed(line.substr(1), " ");
  return has_columns(input)(best_header(line, possible_delimiters(input), has_columns(input)));
}

void read_table(LineReader& lines, const InputFile& input, const RecordSink& sink) {
  const std::optional<TableHeader> header =
      read_header(lines, possible_delimiters(input), input.delimiter == 0, has_columns(input));
  if (!header) return;
  const Columns columns = find_columns(lines, *header, input);
  RowReader rows(lines, header->delimiter, header->has_quotes);
  RawRecord record;
  const auto give = [&](bool is_cut) {
    record.id = rows.text(columns.id);
    record.sequence = rows.text(columns.sequence);
    record.description = columns.description ? rows.text(*columns.description) : std::string();
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
