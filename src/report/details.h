// The records that a click shows closely: structure, PAE, contacts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "report/record_table.h"

namespace pleat {

struct Details {
  std::vector<std::int32_t> place;    // of each record: the number of its element, -1 where it has none
  std::vector<std::string> elements;  // data-detail-0, ...
  std::vector<std::size_t> records;   // those that were chosen
  std::int64_t structures = 0;        // with a structure in them
  std::vector<std::string> notes;     // what was left out, a sentence each
};

// Chooses `wanted` records, or where nothing is given up to 200 whose elements fit into `room` bytes: complexes first,
// of each kind the worst and the best by pLDDT in turn; in files without structures those with contacts, in their
// order. Maps (PAE, contacts) are drawn coarser where they would not fit.
[[nodiscard]] Details make_details(const std::vector<ResultReader>& files, const RecordTable& records,
                                   std::optional<std::int64_t> wanted, std::int64_t room);

}  // namespace pleat
