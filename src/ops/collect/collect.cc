#include "ops/collect/collect.h"

#include <ATen/ATen.h>

#include <optional>
#include <utility>

#include "ops/collect/chunks.h"
#include "ops/device_ops.h"
#include "tensor/host.h"

namespace pleat {

KeptRows KeptRows::make(const std::vector<std::int64_t>& rows, std::vector<std::int64_t> starts, at::Device device) {
  const Chunks chunks = Chunks::of(starts);
  // As one, so that only one copy is made.
  std::vector<std::int64_t> numbers;
  std::vector<std::int64_t> sizes;
  for (const auto* const part : {&rows, &chunks.starts, &chunks.of_sequence}) {
    numbers.insert(numbers.end(), part->begin(), part->end());
    sizes.push_back(static_cast<std::int64_t>(part->size()));
  }
  const std::vector<at::Tensor> sent = sent_to(device, numbers).split_with_sizes(sizes);
  return {std::move(starts), sent[0], sent[1], sent[2]};
}

ConvertedRows convert_rows(const at::Tensor& x, at::ScalarType type) {
  const auto [least, largest] = x.aminmax(/*dim=*/1);  // NaN where there is one
  return {x.to(type).contiguous(), at::stack({least, largest}).to(at::kFloat)};
}

CollectedRows collect_rows_reference(const at::Tensor& hidden, const KeptRows& kept, const WantedRows& wanted) {
  const at::Tensor rows = hidden.index_select(0, kept.rows);  // [R, D]
  CollectedRows collected;
  if (wanted.rows) collected.rows = convert_rows(rows, wanted.type);
  if (wanted.means) {
    std::vector<at::Tensor> means;
    for (std::size_t s = 0; s + 1 < kept.starts.size(); ++s) {
      // Summed in float64: a mean over thousands of rows keeps all its digits.
      means.push_back(rows.slice(0, kept.starts[s], kept.starts[s + 1]).mean(0, false, at::kDouble));
    }
    collected.means = convert_rows(at::stack(means), wanted.type);
  }
  return collected;
}

CollectedRows collect_rows(const at::Tensor& hidden, const KeptRows& kept, const WantedRows& wanted) {
  const auto own = device_ops(hidden).collect_rows;
  std::optional<CollectedRows> collected = own != nullptr ? own(hidden, kept, wanted) : std::nullopt;
  return collected ? *std::move(collected) : collect_rows_reference(hidden, kept, wanted);
}

}  // namespace pleat
