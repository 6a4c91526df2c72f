// The page as one text.
#pragma once

#include <string>
#include <vector>

#include "report/record_table.h"

namespace pleat {

[[nodiscard]] std::string page_of(const std::vector<ResultReader>& files, const RecordTable& records);

}  // namespace pleat
