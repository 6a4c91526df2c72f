// The numbers of a report as a table that MultiQC finds by its name, NAME_mqc.tsv.
#pragma once

#include <string>
#include <vector>

#include "report/record_table.h"

namespace pleat {

// Comment lines that MultiQC takes as configuration, names of columns, then one line per file.
[[nodiscard]] std::string multiqc_table(const std::vector<ResultReader>& files, const RecordTable& records);

}  // namespace pleat
