#include "pleat/plan/batches.h"

#include <algorithm>

namespace pleat {

std::vector<Batch> plan_batches(const std::vector<std::int64_t>& tokens, const std::vector<double>& flops,
                                std::int64_t max_tokens) {
  std::vector<std::int64_t> order;
  for (std::size_t row = 0; row < tokens.size(); ++row) {
    if (tokens[row] > 0) order.push_back(static_cast<std::int64_t>(row));
  }
  std::ranges::sort(order, [&](std::int64_t a, std::int64_t b) {
    const auto a_tokens = tokens[static_cast<std::size_t>(a)];
    const auto b_tokens = tokens[static_cast<std::size_t>(b)];
    return a_tokens != b_tokens ? a_tokens > b_tokens : a < b;
  });

  double all_tokens = 0;
  double all_flops = 0;
  for (const std::int64_t row : order) {
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
  for (const std::int64_t row : order) {
    if (batches.empty() || !has_room(batches.back(), row)) batches.emplace_back();
    Batch& batch = batches.back();
    batch.rows.push_back(row);
    batch.tokens += tokens[row];
    batch.flops += flops[static_cast<std::size_t>(row)];
  }
  return batches;
}

std::int64_t balanced_tokens(std::int64_t all_tokens, std::int64_t devices, std::int64_t max_tokens) {
  constexpr std::int64_t batches_of_a_device = 8;
  constexpr std::int64_t fewest_tokens = 256;
  if (devices <= 1) return max_tokens;
  return std::min(max_tokens, std::max(fewest_tokens, all_tokens / (batches_of_a_device * devices)));
}

}  // namespace pleat
