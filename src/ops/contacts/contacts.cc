#include "ops/contacts/contacts.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "ops/attention/heads.h"
#include "ops/general.h"
#include "tensor/device.h"

namespace pleat {
namespace {

// Adds one tile of a head's map to the weighted sum of maps, and its row and column sums to the head's marginals.
// Token t of the sequence is residue t - 1; the first and the last token are left out.
void add_tile(const cpu::AttentionScratch& scratch, std::int64_t q_begin, std::int64_t tile, std::int64_t residues,
              float weight, float* sum, float* row_sums, float* column_sums) {
  for (std::int64_t r = 0; r < tile; ++r) {
    const std::int64_t i = q_begin + r - 1;
    if (i < 0 || i >= residues) continue;
    const float* const p = scratch.scores.get() + r * scratch.score_stride + 1;
    float* const row = sum + i * residues;
    double total = 0;
    for (std::int64_t j = 0; j < residues; ++j) {
      const float share = p[j] * scratch.inverse[r];
      row[j] += weight * share;
      column_sums[j] += share;
      total += share;
    }
    row_sums[i] = static_cast<float>(total);
  }
}

}  // namespace

ContactAccumulator::ContactAccumulator(at::Tensor weight, at::Tensor bias, std::int64_t heads,
                                       const std::vector<std::int64_t>& cu_seqlens)
    : weight_(std::move(weight)), bias_(std::move(bias)), heads_(heads) {
  for (std::size_t s = 0; s + 1 < cu_seqlens.size(); ++s) {
    const std::int64_t residues = cu_seqlens[s + 1] - cu_seqlens[s] - 2;
    maps_.push_back(at::zeros({residues, residues}, weight_.options()));
    marginals_.push_back(at::zeros({weight_.numel(), residues}, weight_.options()));
  }
}

at::Tensor ContactAccumulator::attention_by_maps(const AttentionInput& input) {
  at::Tensor out = attention_output(input);            // [T, H * Dh]
  const at::Tensor rotated = general::rotated(input);  // [T, 2, H, Dh]
  const at::Tensor values = input.qkv.select(1, 2);    // [T, H, Dh]
  const std::int64_t dim = input.qkv.size(3);
  for (std::size_t s = 0; s < maps_.size(); ++s) {
    const std::int64_t begin = (*input.cu_seqlens)[s];
    const std::int64_t end = (*input.cu_seqlens)[s + 1];
    const std::int64_t pairs = (end - begin) * (end - begin);
    const std::int64_t step = std::clamp<std::int64_t>(general::usual_block / pairs, 1, heads_);
    for (std::int64_t first = 0; first < heads_; first += step) {
      const std::int64_t count = std::min(step, heads_ - first);
      const at::Tensor maps = general::attention_maps(rotated, begin, end, first, count);  // [h, L + 2, L + 2]
      const at::Tensor v = values.slice(0, begin, end).slice(1, first, first + count).transpose(0, 1).to(at::kFloat);
      const at::Tensor mixed = at::matmul(maps, v).transpose(0, 1).flatten(1);  // [L + 2, h * Dh]
      out.slice(0, begin, end).slice(1, first * dim, (first + count) * dim).copy_(mixed);
      const at::Tensor cut = maps.slice(1, 1, -1).slice(2, 1, -1);             // [h, L, L]
      const at::Tensor weight = weight_.narrow(0, next_head_ + first, count);  // [h]
      maps_[s].add_(at::tensordot(weight, cut, {0}, {0}));
      marginals_[s].narrow(0, next_head_ + first, count).copy_(cut.sum(1).add_(cut.sum(2)));
    }
  }
  next_head_ += heads_;
  return out;
}

at::Tensor ContactAccumulator::attention(const AttentionInput& input) {
  if (!on_processor(input.qkv)) return attention_by_maps(input);
  at::Tensor out = attention_output(input);  // [T, H * Dh]
  const auto* const weight = weight_.const_data_ptr<float>() + next_head_;
  for (std::size_t s = 0; s < maps_.size(); ++s) {
    const auto sequence = static_cast<std::int64_t>(s);
    const std::int64_t residues = maps_[s].size(0);
    const std::int64_t tiles = (residues + 2 + cpu::attention_tile_rows - 1) / cpu::attention_tile_rows;
    const at::Tensor column_sums = at::zeros({tiles, heads_, residues}, at::kFloat);
    auto* const h_columns = column_sums.mutable_data_ptr<float>();
    auto* const h_map = maps_[s].mutable_data_ptr<float>();
    auto* const h_rows = marginals_[s].mutable_data_ptr<float>() + next_head_ * residues;
    // A thread owns whole rows of the map, and adds the heads to them in order: no races, and one order of addition
    // whatever the number of threads.
    attend_by_tiles(input, out, sequence,
                    [&](const cpu::AttentionScratch& scratch, std::int64_t head, std::int64_t tile,
                        std::int64_t q_begin, std::int64_t rows) {
                      add_tile(scratch, q_begin, rows, residues, weight[head], h_map, h_rows + head * residues,
                               h_columns + (tile * heads_ + head) * residues);
                    });
    marginals_[s].slice(0, next_head_, next_head_ + heads_) += column_sums.sum(0);  // [H, L]
  }
  next_head_ += heads_;
  return out;
}

at::Tensor ContactAccumulator::contacts(std::int64_t sequence) const {
  const at::NoTF32Guard exact;  // the correction is a small difference of large numbers
  // A map made symmetric is P + P^T; its row sums, equal to its column sums, are the marginals a, and the average
  // product correction subtracts a a^T / sum(a).
  const at::Tensor& marginals = marginals_[sequence];                         // [layers * H, L]
  const at::Tensor factor = (weight_ / marginals.sum(1)).unsqueeze(1);        // [layers * H, 1]
  const at::Tensor correction = at::mm((marginals * factor).t(), marginals);  // [L, L]
  const at::Tensor p = at::sigmoid(maps_[sequence] + maps_[sequence].t() - correction + bias_);
  // Vectorised functions round the last few elements of a range otherwise than the rest.
  return (p + p.t()) * 0.5;
}

at::Tensor contacts_reference(const at::Tensor& maps, const at::Tensor& weight, const at::Tensor& bias) {
  const at::Tensor cut = maps.slice(1, 1, -1).slice(2, 1, -1);  // [heads, L, L]
  const at::Tensor symmetric = cut + cut.transpose(1, 2);
  const at::Tensor rows = symmetric.sum(2, true);        // [heads, L, 1]
  const at::Tensor columns = symmetric.sum(1, true);     // [heads, 1, L]
  const at::Tensor total = symmetric.sum({1, 2}, true);  // [heads, 1, 1]
  const at::Tensor corrected = symmetric - rows * columns / total;
  return at::sigmoid(at::einsum("hij,h->ij", {corrected, weight}) + bias);
}

}  // namespace pleat
