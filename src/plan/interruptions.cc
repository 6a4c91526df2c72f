#include "plan/interruptions.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace pleat {

std::vector<Batch> plan_after(const Interruptions& interruptions, std::vector<std::int64_t> tokens,
                              const std::vector<double>& flops, std::int64_t max_tokens, BatchOrder order) {
  const auto count_of = [&](std::int64_t row) {
    const auto found = interruptions.counts.find(row);
    return found == interruptions.counts.end() ? 0 : found->second;
  };
  std::vector<std::int64_t> alone;
  for (std::int64_t row = 0; row < std::ssize(tokens); ++row) {
    const auto at = static_cast<std::size_t>(row);
    if (tokens[at] > 0 && (interruptions.last_did_nothing || count_of(row) > 0)) alone.push_back(row);
  }
  std::ranges::sort(alone, {}, [&](std::int64_t row) {
    return std::tuple(interruptions.last_did_nothing ? 0 : count_of(row), flops[static_cast<std::size_t>(row)], row);
  });
  std::vector<Batch> last;
  last.reserve(alone.size());
  for (const std::int64_t row : alone) {
    const auto at = static_cast<std::size_t>(row);
    last.push_back({{row}, std::exchange(tokens[at], 0), flops[at]});
  }
  std::vector<Batch> batches = plan_batches(tokens, flops, max_tokens, order);
  batches.insert(batches.end(), last.begin(), last.end());
  return batches;
}

}  // namespace pleat
