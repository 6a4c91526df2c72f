// Contact prediction from attention maps (Rao et al. 2020, "Transformer protein language models are unsupervised
// structure learners"): a logistic regression over all heads of all layers, each map made symmetric and corrected by
// its average product.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "ops/attention/attention.h"

namespace pleat {

// Gathers what the regression needs, layer by layer, so that the maps of all heads, [layers * H, L, L], never exist.
class ContactAccumulator {
 public:
  // weight [layers * H] and bias [1] of the regression, float32.
  ContactAccumulator(at::Tensor weight, at::Tensor bias, std::int64_t heads,
                     const std::vector<std::int64_t>& cu_seqlens);

  // Computes attention of the next layer as `attention` does, and keeps its maps' share.
  [[nodiscard]] at::Tensor attention(const AttentionInput& input);

  // The probability of contact of each pair of a sequence's tokens but the begin and the end token:
  // [L, L] float32 in [0, 1], symmetric. After the last layer.
  [[nodiscard]] at::Tensor contacts(std::int64_t sequence) const;

  // attention() by ATen's general operations, which any device has; the input must have `places`. A few maps exist at
  // a time.
  [[nodiscard]] at::Tensor attention_by_maps(const AttentionInput& input);

 private:
  at::Tensor weight_;
  at::Tensor bias_;
  std::int64_t heads_;
  std::int64_t next_head_ = 0;         // in [0, layers * H)
  std::vector<at::Tensor> maps_;       // per sequence [L, L]: the weighted sum of all maps so far
  std::vector<at::Tensor> marginals_;  // per sequence [layers * H, L]: row sums plus column sums of each map
};

// maps [heads, L + 2, L + 2], the attention of every head of every layer of one sequence -> [L, L].
[[nodiscard]] at::Tensor contacts_reference(const at::Tensor& maps, const at::Tensor& weight, const at::Tensor& bias);

}  // namespace pleat
