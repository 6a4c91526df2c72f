// The parts of the page that need no script: where the results come from, what became of the records, the first rows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "report/details.h"
#include "report/record_table.h"

namespace pleat {

// Warnings that nobody should overlook; empty where there are none.
[[nodiscard]] std::string warnings_html(const std::vector<ResultReader>& files);

// Counts, model, devices, times and the provenance of each file.
[[nodiscard]] std::string overview_html(const std::vector<ResultReader>& files, const RecordTable& records);

// What did not work, grouped by reason, with what to do about it; attempts and memory rungs; devices.
[[nodiscard]] std::string run_html(const std::vector<ResultReader>& files, const RecordTable& records);

// Which records can be seen closely, by name.
[[nodiscard]] std::string shown_html(const Details& details, const RecordTable& records);

// The table of records with its first rows.
[[nodiscard]] std::string table_html(const std::vector<ResultReader>& files, const RecordTable& records);

}  // namespace pleat
