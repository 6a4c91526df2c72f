// --color TABLE:COLUMN: a value for each record, from a table of the user's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "report/record_table.h"

namespace pleat {

// Numbers where every value that is there is one, else words.
struct Colors {
  std::string name;  // of the column; empty where none was asked for
  bool are_numbers = false;
  std::vector<float> number;       // of each record, NaN where the table has none
  std::vector<std::int32_t> word;  // of each record: place in words, -1 where the table has none
  std::vector<std::string> words;  // the most frequent first
  std::int64_t colored = 0;        // records with a value
};

struct ColorSource {
  std::string table;  // a file, as a table of sequences is, see read_table(); empty: no colors
  std::string column;
};

// Of TABLE:COLUMN; empty where the argument is. Throws Error(usage) where it is something else.
[[nodiscard]] ColorSource color_source(const std::string& argument);

// Ids are in the column `id`, or in the first one. Throws Error(usage) where there is no such column,
// Error(missing_input) where the table cannot be opened, Error(bad_input) where it is damaged, names no record of the
// files, or has two values for one.
[[nodiscard]] Colors read_colors(const ColorSource& source, const RecordTable& records);

}  // namespace pleat
