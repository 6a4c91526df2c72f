// From the lengths of sequences to batches. A pure function: the same lengths always give the same batches.
#pragma once

#include <cstdint>
#include <vector>

namespace pleat {

struct Batch {
  std::vector<std::int64_t> rows;  // of the SequenceTable
  std::int64_t tokens = 0;
  double flops = 0;
};

// The rows of `tokens` (the tokens of each row; rows with 0 are left out), longest first and by row among equals, cut
// into batches of at most `max_tokens`; a longer sequence is a batch of its own. `flops` is as long as `tokens`.
[[nodiscard]] std::vector<Batch> plan_batches(const std::vector<std::int64_t>& tokens, const std::vector<double>& flops,
                                              std::int64_t max_tokens);

}  // namespace pleat
