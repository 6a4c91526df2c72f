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

enum class BatchOrder : std::uint8_t {
  longest_first,  // and by row among equals
  by_row,         // so that results come about as the file wants them; the batch with the longest sequence comes first
};

// The rows of `tokens` (the tokens of each row; rows with 0 are left out) in the order asked for, cut into batches of
// at most `max_tokens` and about equal cost: none costs more than `max_tokens` tokens do on the average of all rows,
// since tokens of long sequences are dearer. A sequence beyond either is a batch of its own. `flops` is as long as
// `tokens`.
[[nodiscard]] std::vector<Batch> plan_batches(const std::vector<std::int64_t>& tokens, const std::vector<double>& flops,
                                              std::int64_t max_tokens, BatchOrder order = BatchOrder::longest_first);

// The tokens a batch may have so that each of several devices gets at least eight batches, where there is enough to do:
// at most `max_tokens`, and no less than 256 for that reason. One device gets `max_tokens`.
[[nodiscard]] std::int64_t balanced_tokens(std::int64_t all_tokens, std::int64_t devices, std::int64_t max_tokens);

}  // namespace pleat
