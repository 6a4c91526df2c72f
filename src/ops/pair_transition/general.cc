#include "ops/general.h"

#include <ATen/ATen.h>

#include "ops/general_blocks.h"

namespace pleat::general {

void pair_transition(at::Tensor& z, const PairTransitionWeights& weights, std::int64_t block) {
  const std::int64_t row = z.size(1) * weights.in.weight.size(0);
  for_each_block(z.size(0), row, block, [&](std::int64_t begin, std::int64_t end) {
    at::Tensor rows = z.slice(0, begin, end);                               // [rows, L, C]
    at::Tensor hidden = linear(normalize(rows, weights.norm), weights.in);  // [rows, L, hidden]
    rows.add_(linear(hidden.relu_(), weights.out));
  });
}

}  // namespace pleat::general
