#include "runtime/fold_results.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "engine/device.h"
#include "format/interfaces.h"
#include "format/schema.h"
#include "runtime/storable.h"
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

std::vector<float> floats_of(const at::Tensor& tensor) {
  const at::Tensor here = plain(tensor, at::kFloat);
  return copy_of(span_of<float>(here));
}

// The mean over the atoms of each chain: plddt and atom_mask [L, 14] -> [C]
std::vector<float> means_by_chain(std::span<const float> plddt, std::span<const std::uint8_t> atom_mask,
                                  std::span<const std::uint16_t> chain) {
  const std::size_t slots = atom_mask.size() / chain.size();
  std::vector<double> sums(std::size_t{chain.back()} + 1);
  std::vector<double> atoms(sums.size());
  for (std::size_t i = 0; i < atom_mask.size(); ++i) {
    if (atom_mask[i] == 0) continue;
    sums[chain[i / slots]] += plddt[i];
    atoms[chain[i / slots]] += 1;
  }
  std::vector<float> means;
  for (std::size_t c = 0; c < sums.size(); ++c) means.push_back(static_cast<float>(sums[c] / atoms[c]));
  return means;
}

StoredInterfaces stored(const Interfaces& computed, const StructureNumbers& numbers) {
  return {.iptm = {static_cast<float>(computed.iptm)},
          .ptm_residues = {static_cast<float>(computed.ptm)},
          .chain_ptm = floats_of(computed.chain_ptm),
          .chain_mean_plddt = means_by_chain(numbers.plddt, numbers.atom_mask, numbers.chain),
          .pair_iptm = floats_of(computed.pair_iptm),
          .ipsae = floats_of(computed.ipsae),
          .ipsae_d0chn = floats_of(computed.ipsae_d0chn),
          .min_pae = floats_of(computed.min_pae),
          .contacts = floats_of(computed.contacts)};
}

// Puts what the layout asks for beyond the structure itself into `result`; false where it cannot be stored, and
// `result` then says why.
bool add_numbers(const char* what, const char* path, const at::Tensor& numbers, DType type, SequenceResult& result) {
  const at::Tensor here = plain(numbers, at::kFloat);
  const auto [least, largest] = here.aminmax();
  const float reach = std::max(std::abs(least.item<float>()), std::abs(largest.item<float>()));  // NaN where one is
  if (!is_storable(what, reach, type, "tasks.structure.dtype", result)) return false;
  result.extra[path] = bytes_of(here, type);
  return true;
}

void add_distances(const Distances& distances, const ResultLayout& layout, SequenceResult& result) {
  const DType type = layout.structure_dtype;
  if (!add_numbers("distogram", schema::distance_mean, distances.mean, type, result)) return;
  if (!add_numbers("distogram", schema::distance_spread, distances.spread, type, result)) return;
  if (layout.distance_bins) add_numbers("distogram", schema::distance_bins, distances.probabilities, type, result);
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
    result = failed_result(result.row, verdict.code.value_or(RecordCode::not_finite), std::move(verdict.message));
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
  if (layout.interfaces) put_interfaces(stored(output.interfaces, numbers), result);
  if (layout.distances) add_distances(output.distances, layout, result);
  if (layout.trunk_states && !result.failed) {
    add_numbers("trunk state", schema::trunk_states, output.trunk_states, layout.structure_dtype, result);
  }
}

}  // namespace pleat
