// From an exception to the failure of one sequence.
#pragma once

#include <cstdint>
#include <string>

#include "pleat/store/result_writer.h"

namespace pleat {

// A result that says why there is none. The words are part of the file format.
[[nodiscard]] SequenceResult failed_result(std::int64_t row, const char* code, std::string message);

// To be called in a catch block: "out_of_memory" where memory ran out, else "compute_failed". Throws on what belongs to
// the run and not to a sequence: Stopped.
[[nodiscard]] SequenceResult failure_of_current_exception(std::int64_t row);

}  // namespace pleat
