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

  std::vector<Batch> batches;
  for (const std::int64_t row : order) {
    if (batches.empty() || batches.back().tokens + tokens[row] > max_tokens) batches.emplace_back();
    Batch& batch = batches.back();
    batch.rows.push_back(row);
    batch.tokens += tokens[row];
    batch.flops += flops[static_cast<std::size_t>(row)];
  }
  return batches;
}

}  // namespace pleat
