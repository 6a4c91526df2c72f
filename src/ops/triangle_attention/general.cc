#include "ops/general.h"

#include <ATen/ATen.h>

#include "ops/general_blocks.h"

namespace pleat::general {

void triangle_attention(at::Tensor& z, const TriangleAttentionWeights& w, Node node, std::int64_t block) {
  const std::int64_t length = z.size(0);
  const std::int64_t heads = w.bias.size(0);
  const std::int64_t head_dim = w.query.size(0) / heads;
  const at::Tensor lines = node == Node::starting ? z : z.transpose(0, 1);                         // [L, L, C]
  const at::Tensor bias = pair_bias(z, w.norm, w.bias, node == Node::ending, block).unsqueeze(0);  // [1, H, L, L]
  for_each_block(length, length * z.size(2), block, [&](std::int64_t begin, std::int64_t end) {
    const at::Tensor rows = lines.slice(0, begin, end);  // [rows, L, C]
    const at::Tensor y = normalize(rows, w.norm);        // [rows, L, C]
    const auto by_head = [&](const at::Tensor& weight) {
      return at::linear(y, weight).unflatten(2, {heads, head_dim}).transpose(1, 2);  // [rows, H, L, Dh]
    };
    const at::Tensor gathered =
        at::scaled_dot_product_attention(by_head(w.query), by_head(w.key), by_head(w.value), bias)
            .transpose(1, 2)
            .flatten(2);  // [rows, L, C]
    rows.add_(linear(linear(y, w.gate).sigmoid_().mul_(gathered), w.out));
  });
}

}  // namespace pleat::general
