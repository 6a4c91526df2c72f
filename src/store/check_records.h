// Whether a result file holds the records of its inputs.
#pragma once

#include <string>
#include <vector>

#include "sequence/dataset.h"
#include "store/check_results.h"
#include "store/result_reader.h"
#include "store/result_writer.h"

namespace pleat {

// Compares each record's name, description, refusal and residues with those of `inputs`, and the datasets with those
// of `layout`. A record that did not fit the machine of the run may be refused in the file alone. Throws
// Error(bad_input) when the file is damaged.
[[nodiscard]] std::vector<ResultProblem> check_records(const ResultReader& file, const Dataset& inputs,
                                                       const ResultLayout& layout);

}  // namespace pleat
