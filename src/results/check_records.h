// Whether a result file holds the records of its inputs.
#pragma once

#include <string>
#include <vector>

#include "results/check_results.h"
#include "results/result_reader.h"
#include "results/result_writer.h"
#include "sequence/dataset.h"

namespace pleat {

// Compares each record's name, description, refusal and residues with those of `inputs`, and the datasets with those
// of `layout`. A record that did not fit the machine of the run may be refused in the file alone. Throws
// Error(bad_input) when the file is damaged.
[[nodiscard]] std::vector<ResultProblem> check_records(const ResultReader& file, const Dataset& inputs,
                                                       const ResultLayout& layout);

}  // namespace pleat
