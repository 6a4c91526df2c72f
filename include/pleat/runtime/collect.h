// From a model's output, in tokens, to results, in residues.
#pragma once

#include <cstdint>
#include <vector>

#include "pleat/esm2/model.h"
#include "pleat/store/result_writer.h"
#include "pleat/tensor/packed_batch.h"

namespace pleat {

// One result per sequence of the batch. `letter_ids` are the token ids of ResultLayout::alphabet. A sequence with a
// value that is not finite, or that float16 cannot hold, comes back failed.
[[nodiscard]] std::vector<SequenceResult> collect_results(const PackedBatch& batch, const Esm2Output& output,
                                                          const ResultLayout& layout,
                                                          const std::vector<std::int64_t>& letter_ids);

}  // namespace pleat
