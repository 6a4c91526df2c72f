#include "plan/batches.h"

#include <algorithm>
#include <ranges>
#include <utility>

namespace pleat {

std::vector<Batch> plan_batches(const std::vector<std::int64_t>& tokens, const std::vector<double>& flops,
                                std::int64_t max_tokens, BatchOrder order) {
  const auto tokens_of = [&](std::int64_t row) { return tokens[static_cast<std::size_t>(row)]; };
  std::vector<std::int64_t> rows;
  for (std::size_t row = 0; row < tokens.size(); ++row) {
    if (tokens[row] > 0) rows.push_back(static_cast<std::int64_t>(row));
  }
  if (order == BatchOrder::longest_first) {
    std::ranges::sort(rows, {}, [&](std::int64_t row) { return std::pair(-tokens_of(row), row); });
  }

  double all_tokens = 0;
  double all_flops = 0;
  for (const std::int64_t row : rows) {
    all_tokens += static_cast<double>(tokens[static_cast<std::size_t>(row)]);
    all_flops += flops[static_cast<std::size_t>(row)];
  }
  // A little more, so that sequences of one length are cut by their tokens alone.
  const double max_flops = 1.001 * static_cast<double>(max_tokens) * all_flops / std::max(1.0, all_tokens);

  std::vector<Batch> batches;
  const auto has_room = [&](const Batch& batch, std::int64_t row) {
    return batch.tokens + tokens[static_cast<std::size_t>(row)] <= max_tokens &&
           batch.flops + flops[static_cast<std::size_t>(row)] <= max_flops;
  };
  for (const std::int64_t row : rows) {
    if (batches.empty() || !has_room(batches.back(), row)) batches.emplace_back();
    Batch& batch = batches.back();
    batch.rows.push_back(row);
    batch.tokens += tokens[row];
    batch.flops += flops[static_cast<std::size_t>(row)];
  }
  // A lack of memory shows at the start.
  const auto longest = std::ranges::max_element(
      batches, {}, [&](const Batch& batch) { return std::ranges::max(batch.rows | std::views::transform(tokens_of)); });
  if (longest != batches.end()) std::rotate(batches.begin(), longest, longest + 1);
  return batches;
}

std::int64_t balanced_tokens(std::int64_t all_tokens, std::int64_t devices, std::int64_t max_tokens) {
  constexpr std::int64_t batches_of_a_device = 8;
  constexpr std::int64_t fewest_tokens = 256;
  if (devices <= 1) return max_tokens;
  return std::min(max_tokens, std::max(fewest_tokens, all_tokens / (batches_of_a_device * devices)));
}

}  // namespace pleat
