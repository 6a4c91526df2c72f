#include "sequence/pair_table.h"

#include <algorithm>

#include "sequence/byte_source.h"
#include "sequence/side_table.h"
#include "sequence/table_rows.h"
#include "sequence/text.h"

namespace pleat {
namespace {

using Names = std::array<std::string, 2>;

struct PairColumns {
  std::array<std::size_t, 2> names;
  std::optional<std::size_t> id;
};

PairColumns find_columns(const LineReader& lines, const TableHeader& header, const Names& names) {
  PairColumns columns{};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto found = header.find(names[i]);
    if (!found) {
      throw_at_line(
          lines, lines.line_number(),
          "no column is called " + quoted(std::string_view(names[i])) + "; the columns, " + header.columns_text(),
          "the first row of a table of pairs names its columns: a,b; others can be given in the manifest, as "
          "pairs: {file: F, columns: [bait, prey]}");
    }
    check_single_column(lines, header, *found);
    columns.names[i] = *found;
  }
  columns.id = header.find("id");
  const bool is_taken = columns.id && std::ranges::find(columns.names, *columns.id) != columns.names.end();
  if (is_taken) columns.id.reset();
  if (columns.id) check_single_column(lines, header, *columns.id);
  return columns;
}

void judge(const RowReader& rows, const TableHeader& header, const PairColumns& columns, bool is_cut, PairRow& row) {
  row.malformed_as.reset();
  row.malformed.clear();
  const std::string where = "line " + std::to_string(row.line) + ": ";
  if (is_cut) {
    row.malformed_as = RecordCode::cut_off;
    row.malformed = where + "the table of pairs breaks off in this row";
    return;
  }
  const std::string why = rows.why_malformed(header.names.size(), std::ranges::max(columns.names));
  if (!why.empty()) {
    row.malformed_as = RecordCode::bad_row;
    row.malformed = where + why;
    return;
  }
  for (const std::size_t column : columns.names) {
    if (!is_missing(rows.fields()[column])) continue;
    row.malformed_as = RecordCode::missing_value;
    row.malformed = where + "the row has no value for " + quoted(std::string_view(header.names[column]));
    return;
  }
}

void read_rows(LineReader& lines, const Names& names, const std::function<void(PairRow&)>& sink) {
  const HeaderTest has_columns = [&](const TableHeader& header) {
    return header.find(names[0]).has_value() && header.find(names[1]).has_value();
  };
  const std::optional<TableHeader> header = read_header(lines, table_delimiters, true, has_columns);
  if (!header) return;
  const PairColumns columns = find_columns(lines, *header, names);
  RowReader rows(lines, header->delimiter, header->has_quotes);
  const auto give = [&](bool is_cut) {
    PairRow row;
    row.line = rows.line_number();
    for (std::size_t i = 0; i < row.names.size(); ++i) row.names[i] = readable(rows.text(columns.names[i]));
    const bool has_id = columns.id && *columns.id < rows.fields().size() && !is_missing(rows.fields()[*columns.id]);
    if (has_id) row.id = readable(rows.text(*columns.id));
    judge(rows, *header, columns, is_cut, row);
    sink(row);
  };
  try {
    while (rows.next()) give(lines.is_cut());
  } catch (const BrokenInput&) {
    if (rows.in_row()) give(true);
    throw;
  }
}

}  // namespace

InputReport read_pair_table(const std::filesystem::path& file, const Names& columns,
                            const std::function<void(PairRow&)>& sink, const StopToken* stop) {
  return read_side_table(file, "pair", stop, [&](LineReader& lines, std::int64_t& count) {
    read_rows(lines, columns, [&](PairRow& row) {
      ++count;
      sink(row);
    });
  });
}

}  // namespace pleat
