#include "runtime/fold_results.h"

#include <ATen/ATen.h>

#include <utility>
#include <vector>

#include "engine/device.h"
#include "runtime/structure_check.h"
#include "tensor/host.h"

namespace pleat {
namespace {

// `tensor` must be contiguous and stay where it is.
template <class T>
std::span<const T> span_of(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<T>(), static_cast<std::size_t>(tensor.numel())};
}

at::Tensor plain(const at::Tensor& tensor, at::ScalarType type) { return tensor.to(at::kCPU, type).contiguous(); }

template <class T>
std::vector<T> copy_of(std::span<const T> values) {
  return {values.begin(), values.end()};
}

}  // namespace

void add_structure(const FoldOutput& output, std::span<const std::uint16_t> chain, const ResultLayout& layout,
                   SequenceResult& result) {
  const c10::InferenceMode guard;
  const at::Tensor positions = plain(output.positions, at::kFloat);                                // [L, 14, 3]
  const at::Tensor atom_mask = plain(output.atom_mask, at::kByte);                                 // [L, 14]
  const at::Tensor plddt = plain(output.plddt, at::kFloat);                                        // [L, 14]
  const at::Tensor pae = layout.pae ? plain(output.pae, at::kFloat) : at::empty({0}, at::kFloat);  // [L, L]
  StructureNumbers numbers{span_of<float>(positions),
                           span_of<std::uint8_t>(atom_mask),
                           span_of<float>(plddt),
                           span_of<float>(pae),
                           chain,
                           output.mean_plddt,
                           output.ptm};
  StructureVerdict verdict = check_structure(numbers);
  if (!verdict.usable) {
    result = failed_result(result.row, *verdict.code, std::move(verdict.message));
    return;
  }
  if (verdict.code) result.error_code = word_of(*verdict.code);
  result.message = std::move(verdict.message);
  StructureResult& structure = result.structure;
  structure.positions = copy_of(numbers.positions);
  structure.atom_mask = copy_of(numbers.atom_mask);
  structure.plddt = bytes_of(plddt, layout.structure_dtype);
  structure.mean_plddt = static_cast<float>(output.mean_plddt);
  structure.ptm = static_cast<float>(output.ptm);
  structure.recycles = static_cast<std::int32_t>(output.recycles);
  if (layout.pae) structure.pae = bytes_of(pae, layout.structure_dtype);
}

}  // namespace pleat
