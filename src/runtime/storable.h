// Whether computed numbers are fit to be stored.
#pragma once

#include <string>

#include "core/dtype.h"
#include "results/result_writer.h"

namespace pleat {

// `reach` is the largest magnitude of the numbers called `what`; NaN where one of them is. Where they are not finite,
// or larger than `type` holds, `result` becomes a failed one that says so. `key` is the manifest's for the type.
[[nodiscard]] bool is_storable(const std::string& what, float reach, DType type, const char* key,
                               SequenceResult& result);

}  // namespace pleat
