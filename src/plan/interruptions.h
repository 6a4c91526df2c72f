// The order of what is left to do after runs that were ended, by a time limit or a signal, while something was under
// way.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "plan/batches.h"

namespace pleat {

struct Interruptions {
  std::map<std::int64_t, std::int32_t> counts;  // row -> how many runs ended while they computed it
  bool last_did_nothing = false;                // the last run ended before its first result
};

// As plan_batches(), but rows that were interrupted come after all others, each by itself: the least often interrupted
// first, and of those the cheapest. After a run without any result everything comes by itself and the cheapest first,
// so that if any sequence can be computed in the time that a run has, it is.
[[nodiscard]] std::vector<Batch> plan_after(const Interruptions& interruptions, std::vector<std::int64_t> tokens,
                                            const std::vector<double>& flops, std::int64_t max_tokens,
                                            BatchOrder order);

}  // namespace pleat
