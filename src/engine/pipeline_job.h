// What is to be computed, and how much may be tried for it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "plan/batches.h"

namespace pleat {

struct PipelineJob {
  // In the order in which they are to be begun: the most expensive first.
  std::vector<Batch> batches;
  std::vector<std::int64_t> tokens;  // of each row
  std::vector<double> flops;         // of each row
  // Rows in whose computation devices were lost, in earlier runs.
  std::map<std::int64_t, std::int32_t> lost;
  // After this many seconds a batch's device counts as hanging; 0 = by its pace, see Watchdog.
  double batch_timeout = 0;
  // No batch is begun that is not expected to end before this moment, and one that does not is dropped then.
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  // Once the run is cancelled, devices that have not answered after so many seconds are left behind.
  double patience_after_cancel = 8;

  // Some of the rows as a batch.
  [[nodiscard]] Batch batch_of(std::vector<std::int64_t> rows) const {
    Batch batch{.rows = std::move(rows)};
    for (const std::int64_t row : batch.rows) {
      batch.tokens += tokens[row];
      batch.flops += flops[row];
    }
    return batch;
  }
};

// A row that has cost so many devices is given up.
inline constexpr std::int32_t losses_allowed = 2;

}  // namespace pleat
