// The records that an export is about.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "results/result_reader.h"

namespace pleat {

// In the order of the inputs; `number` counts from 0.
void for_each_record(const ResultReader& results,
                     const std::function<void(std::int64_t number, const Record& record)>& visit);

// Throws Error(bad_input) that names every id that no record has; with `need_sequence` also those of refused records.
void check_ids(const ResultReader& results, const std::set<std::string>& ids, bool need_sequence);

}  // namespace pleat
