// The page as one text.
#pragma once

#include <string>
#include <vector>

#include "report/color_table.h"
#include "report/details.h"
#include "report/projection.h"
#include "report/record_table.h"

namespace pleat {

struct PageContent {
  const std::vector<ResultReader>& files;
  const RecordTable& records;
  const EmbeddingProjection& projection;
  const Colors& colors;
  const Details& details;
};

[[nodiscard]] std::string page_of(const PageContent& content);

}  // namespace pleat
