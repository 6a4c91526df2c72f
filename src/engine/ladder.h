// What is tried when memory runs out, rung by rung: a smaller batch, a smaller chunk, lower precision.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/device.h"

namespace pleat {

class Ladder {
 public:
  // `device` must outlive the ladder.
  Ladder(Device& device, bool lower_precision) : device_(device), lower_precision_(lower_precision) {}

  // Has the device begin with the rows. Throws nothing: what goes wrong comes with the results.
  [[nodiscard]] Pending begin(const std::vector<std::int64_t>& rows) const;
  // One result for each of the rows that `first_attempt` was begun with, in their order. What goes wrong is pinned on
  // single rows: none but DeviceLost and Stopped is thrown. SequenceResult::seconds is what the device said of the row
  // alone.
  [[nodiscard]] std::vector<SequenceResult> finish(const std::vector<std::int64_t>& rows, const Pending& first_attempt);
  // The same from the beginning.
  [[nodiscard]] std::vector<SequenceResult> compute(const std::vector<std::int64_t>& rows) {
    return finish(rows, begin(rows));
  }

 private:
  void compute(const std::vector<std::int64_t>& rows, std::int32_t attempt, MemoryRung rung);
  void take(const std::vector<std::int64_t>& rows, const Pending& pending, std::int32_t attempt, MemoryRung rung);
  void compute_each(const std::vector<std::int64_t>& rows, std::int32_t attempt, MemoryRung rung);
  void compute_frugally(std::int64_t row, std::int32_t attempt);
  // Whether that is the end of it: a result, or a failure other than of memory.
  bool try_with(std::int64_t row, const Effort& effort, std::int32_t attempt, MemoryRung rung);
  void keep(SequenceResult result, std::int32_t attempt, MemoryRung rung);

  Device& device_;
  bool lower_precision_;
  std::vector<SequenceResult> results_;
  std::unordered_map<std::int64_t, std::size_t> places_;  // of the rows among the results
};

}  // namespace pleat
