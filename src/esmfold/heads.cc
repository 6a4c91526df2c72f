#include "esmfold/heads.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "esmfold/residue_constants.h"
#include "tensor/device.h"
#include "tensor/packed_batch.h"

namespace pleat {
namespace {

constexpr std::int64_t plddt_bins = 50;
constexpr std::int64_t pair_bins = 64;
// Pairs whose logits exist at once where that is not on the processor.
constexpr std::int64_t device_block = std::int64_t{1} << 20;
constexpr double largest_error = 31;  // ångström, the last bound between bins of the predicted error

// The middle of each bin: 64 bins with 63 bounds between them, evenly spaced from 0. -> [64]
at::Tensor error_centers() {
  const at::Tensor bounds = at::linspace(0, largest_error, pair_bins - 1);  // [63]
  const at::Tensor step = bounds[1] - bounds[0];
  const at::Tensor centers = bounds + step / 2;  // [63]
  return at::cat({centers, (centers[-1] + step).unsqueeze(0)});
}

// The middle of each of the distogram's bins. -> [64]
at::Tensor distance_centers() {
  constexpr double first_bound = 2.3125;
  constexpr double last_bound = 21.6875;
  constexpr double half_step = (last_bound - first_bound) / (pair_bins - 2) / 2;
  return at::linspace(first_bound - half_step, last_bound + half_step, pair_bins);
}

// The term of the TM-score that a pair with the error of each bin adds, for `length` residues. -> [64]
at::Tensor tm_terms(const at::Tensor& centers, std::int64_t length) {
  const double scale = tm_scale(length);
  return 1 / (1 + centers.square() / (scale * scale));
}

// The same for each two chains of a complex.
class PairTerms {
 public:
  PairTerms(const ChainPairs& chains, const at::Tensor& centers)
      : chains_(chains), positions_(chains.of_position().size(0)), of_complex_(tm_terms(centers, chains.residues())) {
    std::vector<at::Tensor> tables;
    for (const std::int64_t size : chains.sizes()) tables.push_back(tm_terms(centers, size));
    table_ = at::stack(tables);  // [sizes, 64]
  }

  // For the pairs [begin, end) of the P * P, row by row.
  [[nodiscard]] at::Tensor of(std::int64_t begin, std::int64_t end) const {
    const at::Tensor pairs = at::arange(begin, end, chains_.of_position().options());
    const at::Tensor row = chains_.of_position().index_select(0, pairs.div(positions_, "floor"));
    const at::Tensor column = chains_.of_position().index_select(0, pairs.remainder(positions_));
    const at::Tensor size = chains_.size_of_pair().view(-1).index_select(0, row * chains_.count() + column);
    return table_.index_select(0, size);  // [end - begin, 64]
  }
  [[nodiscard]] const at::Tensor& of_complex() const { return of_complex_; }  // [64]

 private:
  const ChainPairs& chains_;
  std::int64_t positions_;
  at::Tensor of_complex_;
  at::Tensor table_;
};

}  // namespace

Heads::Heads(const Loader& loader)
    : plddt_norm_(loader.layer_norm("lddt_head.0")),
      plddt_in_(loader.linear("lddt_head.1")),
      plddt_hidden_(loader.linear("lddt_head.2")),
      plddt_out_(loader.linear("lddt_head.3")),
      ptm_(loader.linear("ptm_head")),
      distogram_(loader.linear("distogram_head")),
      lm_(loader.linear("lm_head")) {}

at::Tensor Heads::plddt(const at::Tensor& state, const at::Tensor& aatype) const {
  const c10::InferenceMode guard;
  const ResidueConstants& constants = residue_constants();
  const at::Tensor bounds = at::linspace(0, 1, plddt_bins + 1);                                               // [51]
  const at::Tensor centers = ((bounds.slice(0, 0, plddt_bins) + bounds.slice(0, 1)) / 2).to(state.device());  // [50]
  const at::Tensor normed = normalize(state, plddt_norm_);
  const at::Tensor logits = plddt_out_(plddt_hidden_(plddt_in_(normed)));  // [P, 37 * 50]
  const at::Tensor by_kind = logits.view({state.size(0), -1, plddt_bins}).softmax(-1).matmul(centers).cpu();  // [P, 37]

  at::Tensor plddt = at::zeros({state.size(0), static_cast<std::int64_t>(atom14_count)});  // [P, 14]
  const auto kinds = by_kind.accessor<float, 2>();
  const at::Tensor h_aatype = aatype.cpu();
  const auto types = h_aatype.accessor<std::int64_t, 1>();
  auto atoms = plddt.accessor<float, 2>();
  for (std::int64_t i = 0; i < state.size(0); ++i) {
    const auto type = static_cast<std::size_t>(types[i]);
    for (std::size_t slot = 0; slot < atom14_count; ++slot) {
      if (constants.atom14_mask[type][slot] == 0) continue;
      atoms[i][static_cast<std::int64_t>(slot)] = 100 * kinds[i][constants.atom14_to_atom37[type][slot]];
    }
  }
  return plddt.to(state.device());
}

AlignmentConfidence Heads::alignment(const at::Tensor& pair, bool pae, const ChainPairs* chains,
                                     std::int64_t block) const {
  const c10::InferenceMode guard;
  const std::int64_t length = pair.size(0);
  const at::Tensor rows = pair.view({length * length, pair.size(2)});                       // [P * P, C]
  const at::Tensor centers = error_centers().to(pair.device());                             // [64]
  const at::Tensor terms = tm_terms(centers, length);                                       // [64]
  at::Tensor expected = pae ? at::empty({length * length}, pair.options()) : at::Tensor();  // [P * P]
  at::Tensor tm = at::empty({length * length}, pair.options());                             // [P * P]
  const std::optional<PairTerms> of_pairs =
      chains == nullptr ? std::nullopt : std::optional<PairTerms>({*chains, centers});
  at::Tensor complex_terms = of_pairs ? at::empty_like(tm) : at::Tensor();  // [P * P]
  at::Tensor pair_terms = of_pairs ? at::empty_like(tm) : at::Tensor();     // [P * P]
  // The last block takes what is left over, so that none has too few rows.
  block = rows_at_once(rows, std::max(block, PackedBatch::minimum_rows), device_block);
  const std::int64_t blocks = std::max<std::int64_t>(1, rows.size(0) / block);
  // Another device is given its work by one thread.
  at::parallel_for(0, blocks, on_processor(rows) ? 1 : blocks, [&](std::int64_t first, std::int64_t last) {
    const c10::InferenceMode guard_of_thread;
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t begin = i * block;
      const std::int64_t end = i + 1 == blocks ? rows.size(0) : begin + block;
      const at::Tensor probabilities = ptm_(rows.slice(0, begin, end)).softmax(-1);  // [block, 64]
      tm.slice(0, begin, end).copy_((probabilities * terms).sum(-1));
      if (pae) expected.slice(0, begin, end).copy_((probabilities * centers).sum(-1));
      if (!of_pairs) continue;
      complex_terms.slice(0, begin, end).copy_((probabilities * of_pairs->of_complex()).sum(-1));
      pair_terms.slice(0, begin, end).copy_((probabilities * of_pairs->of(begin, end)).sum(-1));
    }
  });
  // With each residue's alignment in turn, the mean over all others; the best alignment counts.
  const double weight = 1 / (1e-8 + static_cast<double>(length));
  const at::Tensor by_alignment = (tm.view({length, length}) * weight).sum(-1);  // [P]
  const auto as_matrix = [length](const at::Tensor& x) { return x.defined() ? x.view({length, length}) : x; };
  return {.pae = as_matrix(expected),
          .ptm = by_alignment.max().item<double>(),
          .complex_terms = as_matrix(complex_terms),
          .pair_terms = as_matrix(pair_terms)};
}

at::Tensor Heads::distogram_rows(const at::Tensor& pair, std::int64_t begin, std::int64_t end) const {
  const at::Tensor rows = pair.slice(0, begin, end);                  // [n, P, C]
  const at::Tensor columns = pair.slice(1, begin, end).contiguous();  // [P, n, C]
  const auto logits_of = [this](const at::Tensor& x) {
    return distogram_(x.flatten(0, 1)).view({x.size(0), x.size(1), pair_bins});
  };
  return (logits_of(rows) + logits_of(columns).transpose(0, 1)).div_(2);
}

at::Tensor Heads::distogram_logits(const at::Tensor& pair) const {
  const c10::InferenceMode guard;
  return distogram_rows(pair, 0, pair.size(0));
}

Distances Heads::distances(const at::Tensor& pair, bool bins) const {
  const c10::InferenceMode guard;
  const std::int64_t length = pair.size(0);
  const at::Tensor centers = distance_centers().to(pair.device());  // [64]
  Distances result{.mean = at::empty({length, length}, pair.options()),
                   .spread = at::empty({length, length}, pair.options()),
                   .probabilities = bins ? at::empty({length, length, pair_bins}, pair.options()) : at::Tensor()};
  const std::int64_t step =
      rows_at_once(pair, PackedBatch::minimum_rows, std::max<std::int64_t>(1, device_block / length));
  for (std::int64_t begin = 0; begin < length; begin += step) {
    const std::int64_t end = std::min(begin + step, length);
    const at::Tensor probabilities = distogram_rows(pair, begin, end).softmax(-1);  // [n, P, 64]
    const at::Tensor mean = probabilities.matmul(centers);                          // [n, P]
    const at::Tensor from_mean = centers - mean.unsqueeze(-1);                      // [n, P, 64]
    result.mean.slice(0, begin, end).copy_(mean);
    result.spread.slice(0, begin, end).copy_((probabilities * from_mean.square_()).sum(-1).sqrt_());
    if (bins) result.probabilities.slice(0, begin, end).copy_(probabilities);
  }
  return result;
}

at::Tensor Heads::lm_logits(const at::Tensor& s) const {
  const c10::InferenceMode guard;
  return lm_(s);
}

}  // namespace pleat
