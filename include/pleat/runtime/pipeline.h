// Batches to results: one worker per device between two bounded queues, one consumer at the end.
#pragma once

#include <atomic>
#include <functional>
#include <vector>

#include "pleat/plan/batches.h"
#include "pleat/runtime/device.h"

namespace pleat {

// Thrown when a signal asked the run to stop; what was in flight has been dropped.
class Stopped : public std::exception {
 public:
  explicit Stopped(int signal) : signal_(signal) {}
  [[nodiscard]] int signal() const noexcept { return signal_; }
  [[nodiscard]] const char* what() const noexcept override { return "stopped by a signal"; }

 private:
  int signal_;
};

// Computes every batch on `device` and hands each result to `consume`, which runs on one thread of its own. A batch
// that fails as a whole is computed again sequence by sequence, so that a failure belongs to one sequence.
// `stop` holds the number of a signal once one has arrived. Throws what `consume` throws, or Stopped.
void run_pipeline(const std::vector<Batch>& batches, const std::vector<std::int64_t>& tokens, Device& device,
                  const std::function<void(const SequenceResult&)>& consume, const std::atomic<int>& stop);

// One batch, with failures pinned on single sequences. `tokens` of each row divide the batch's time among them.
[[nodiscard]] std::vector<SequenceResult> compute_batch(Device& device, const Batch& batch,
                                                        const std::vector<std::int64_t>& tokens);

}  // namespace pleat
