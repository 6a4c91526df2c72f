// A table whose rows name two records each.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "core/record_code.h"
#include "core/stop.h"
#include "sequence/input_file.h"

namespace pleat {

struct PairRow {
  std::array<std::string, 2> names;        // of A and B, in clean UTF-8
  std::string id = {};                     // of the complex, where the table has a column `id`
  std::int64_t line = 0;                   // of the file, from 1
  std::optional<RecordCode> malformed_as;  // where the row could not be read
  std::string malformed;                   // and why
};

// Reads a table with the columns that name A and B; the rest is as in read_table(), see formats.h, but that no other
// names of columns are known than `columns`. Calls `sink` for each row. Returns the table's row of /inputs, in which a
// table that merely breaks off is `cut_off`. Throws Error(missing_input) where the table cannot be read, lacks a column
// or is damaged, and Stopped; `stop` may be null.
[[nodiscard]] InputReport read_pair_table(const std::filesystem::path& file, const std::array<std::string, 2>& columns,
                                          const std::function<void(PairRow&)>& sink, const StopToken* stop = nullptr);

}  // namespace pleat
