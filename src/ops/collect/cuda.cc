// Hidden states collected by the kernels beside this file.
#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>

#include "cuda/ops.h"
#include "ops/collect/kernels.h"
#include "ops/cuda/tensors.h"

namespace pleat::cuda {
namespace {

ConvertedRows empty_rows(const at::Tensor& hidden, std::int64_t rows, at::ScalarType type) {
  return {at::empty({rows, hidden.size(1)}, hidden.options().dtype(type)), at::empty({2, rows}, hidden.options())};
}

collect::Converted pointers_of(const ConvertedRows& rows) {
  if (!rows.values.defined()) return {};
  return {rows.values.mutable_data_ptr(), rows.extents.mutable_data_ptr<float>()};
}

}  // namespace

std::optional<CollectedRows> collect_rows(const at::Tensor& hidden, const KeptRows& kept, const WantedRows& wanted) {
  const bool types_suit = hidden.scalar_type() == at::kFloat && (wanted.type == at::kHalf || wanted.type == at::kFloat);
  if (!types_suit || !hidden.is_contiguous()) return {};
  if (!uses_kernels("collect", collect::suits(hidden.size(1)), true)) return {};
  const c10::DeviceGuard guard(hidden.device());
  const collect::Kept pointers{kept.rows.const_data_ptr<std::int64_t>(),
                               kept.chunks.const_data_ptr<std::int64_t>(),
                               kept.sequence_chunks.const_data_ptr<std::int64_t>(),
                               kept.rows.numel(),
                               kept.chunks.numel() - 1,
                               kept.sequence_chunks.numel() - 1};
  CollectedRows collected;
  at::Tensor sums;
  if (wanted.rows) collected.rows = empty_rows(hidden, pointers.row_count, wanted.type);
  if (wanted.means) {
    collected.means = empty_rows(hidden, pointers.sequence_count, wanted.type);
    sums = at::empty({pointers.chunk_count, hidden.size(1)}, hidden.options().dtype(at::kDouble));
  }
  check_launch(collect::collect(hidden.const_data_ptr<float>(), pointers, pointers_of(collected.rows),
                                wanted.means ? sums.mutable_data_ptr<double>() : nullptr, pointers_of(collected.means),
                                wanted.type == at::kHalf ? collect::Stored::float16 : collect::Stored::float32,
                                hidden.size(1), stream_of(hidden)),
               "collect");
  return collected;
}

}  // namespace pleat::cuda
