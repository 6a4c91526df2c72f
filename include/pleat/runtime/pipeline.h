// Batches to results: one worker per device between two bounded queues, one consumer at the end.
#pragma once

#include <functional>
#include <vector>

#include "pleat/core/stop.h"
#include "pleat/plan/batches.h"
#include "pleat/runtime/device.h"

namespace pleat {

// Computes every batch on `device` and hands each result to `consume`, which runs on one thread of its own. A batch
// that fails as a whole is computed again sequence by sequence, so that a failure belongs to one sequence.
// Throws what `consume` throws, or Stopped once `stop` says so or the device has stopped.
void run_pipeline(const std::vector<Batch>& batches, const std::vector<std::int64_t>& tokens, Device& device,
                  const std::function<void(SequenceResult)>& consume, const StopFlag& stop);

// One batch, with failures pinned on single sequences. What the batch took beyond the seconds that its results claim
// for themselves is divided among them by `tokens`.
[[nodiscard]] std::vector<SequenceResult> compute_batch(Device& device, const Batch& batch,
                                                        const std::vector<std::int64_t>& tokens);

}  // namespace pleat
