// From what the folding model says of one sequence to what the result file keeps of it.
#pragma once

#include <cstdint>
#include <span>

#include "esmfold/model.h"
#include "results/result_writer.h"

namespace pleat {

// Puts the structure into `result`, or marks it as failed and empties it when a number is not finite. A structure that
// looks wrong gets a note. `chain` [L] as in SequenceTable.
void add_structure(const FoldOutput& output, std::span<const std::uint16_t> chain, const ResultLayout& layout,
                   SequenceResult& result);

}  // namespace pleat
