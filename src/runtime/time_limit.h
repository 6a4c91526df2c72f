// What a run says when its time is over.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/stop.h"
#include "sequence/dataset.h"

namespace pleat {

// A run at its end, for an estimate of what is left.
struct TimeSpent {
  double limit = 0;  // seconds that the whole run may take
  std::function<bool(std::int64_t row)> is_done;
  std::function<double(std::int64_t row)> seconds_of;         // of a done row; 0 where it was not computed
  std::function<double(std::int64_t row)> seconds_under_way;  // of a row that was being computed at the end, else 0
};

// When a process that may take so many seconds has to be over, but for what it must flush.
[[nodiscard]] StopToken::Clock::time_point deadline_of(double max_seconds);

// "2 h 5 min", "3 min", "40 s".
[[nodiscard]] std::string duration_text(double seconds);

// Error(retry). Names the sequences that are left and would take longer than the whole limit: by the pace of the most
// expensive one that is done, or because they have taken most of it already. Where nothing else is left the hint does
// not promise that the same command gets further. `flops`: of each row.
[[nodiscard]] Error time_is_over(const Dataset& dataset, const std::vector<double>& flops, const TimeSpent& spent);

}  // namespace pleat
