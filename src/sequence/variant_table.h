// Variants of proteins that are to be scored, as a table names them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "sequence/input_file.h"

namespace pleat {

// One row of the table.
struct VariantRow {
  std::string id;       // of a record
  std::string variant;  // "A12V:K20R"
  // Why it is not scored: the word of a RecordCode, and for people; empty where it is.
  std::string error_code = {};
  std::string message = {};
};

struct VariantTable {
  std::vector<VariantRow> rows;
  InputReport input = {};  // of the file it is read from, until a dataset has it

  [[nodiscard]] std::int64_t refused() const {
    return std::ranges::count_if(rows, [](const VariantRow& row) { return !row.error_code.empty(); });
  }
};

// A variant of one sequence, which has been found to fit it.
struct SequenceVariant {
  std::int64_t table_row = 0;
  std::string text;
};

}  // namespace pleat
