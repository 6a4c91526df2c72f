// From a model's output, in tokens, to results, in residues.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/device.h"
#include "esm2/model.h"
#include "results/result_writer.h"
#include "tensor/packed_batch.h"

namespace pleat {

// Asks the device to cut its output to residues, convert it, look through it and copy it to the processor's memory, and
// does not wait for it; that is what Pending does, before it divides all among the sequences. One result per sequence
// of the batch. `letter_ids` are the token ids of ResultLayout::alphabet. A sequence with a value that is not finite,
// or that float16 cannot hold, comes back failed.
[[nodiscard]] Pending collect_results(const PackedBatch& batch, Esm2Output output, const ResultLayout& layout,
                                      const std::vector<std::int64_t>& letter_ids);

}  // namespace pleat
