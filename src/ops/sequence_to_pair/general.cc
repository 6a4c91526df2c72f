#include "ops/general.h"

#include <ATen/ATen.h>

#include "ops/general_blocks.h"

namespace pleat::general {

void sequence_to_pair(at::Tensor& z, const at::Tensor& qk, const SequenceToPairWeights& weights, std::int64_t block) {
  const auto parts = qk.chunk(2, 1);                                           // [L, K] each
  const auto halves = weights.out.weight.chunk(2, 1);                          // [C, K] each
  const at::Tensor right = at::linear(parts[0], halves[1], weights.out.bias);  // [L, C]
  const at::Tensor left = at::linear(parts[1], halves[1]);                     // [L, C]
  for_each_block(z.size(0), z.size(1) * z.size(2), block, [&](std::int64_t begin, std::int64_t end) {
    const at::Tensor products = parts[0].unsqueeze(0) * parts[1].slice(0, begin, end).unsqueeze(1);  // [rows, L, K]
    z.slice(0, begin, end)
        .add_(at::linear(products, halves[0]))
        .add_(right.unsqueeze(0) - left.slice(0, begin, end).unsqueeze(1));
  });
}

}  // namespace pleat::general
