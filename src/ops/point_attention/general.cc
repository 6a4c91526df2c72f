#include "ops/general.h"

#include <ATen/ATen.h>

#include "ops/general_blocks.h"

namespace pleat::general {

PointAttentionOutput point_attention(const PointAttentionInput& input, std::int64_t block) {
  const std::int64_t length = input.q.size(0);
  const std::int64_t heads = input.q.size(1);
  const at::Tensor keys = input.k.permute({1, 2, 0});                               // [H, c, P]
  const at::Tensor values = input.v.transpose(0, 1);                                // [H, P, c]
  const at::Tensor value_points = input.v_points.permute({2, 0, 1, 3}).flatten(2);  // [H, P, 3 Nv]
  const at::Tensor weight = input.point_weight.view({-1, 1, 1});
  std::vector<at::Tensor> all_values;
  std::vector<at::Tensor> all_points;
  std::vector<at::Tensor> all_pairs;
  const std::int64_t row = length * 3 * heads * input.q_points.size(3);
  for_each_block(length, row, block, [&](std::int64_t begin, std::int64_t end) {
    // From direct differences: a product of the points would lose digits far from the origin.
    const at::Tensor differences =
        input.q_points.slice(0, begin, end).unsqueeze(1) - input.k_points.unsqueeze(0);  // [rows, P, 3, H, Nq]
    const at::Tensor squares = differences.square().sum({2, 4}).permute({2, 0, 1});      // [H, rows, P]
    const at::Tensor queries = input.q.slice(0, begin, end).transpose(0, 1);             // [H, rows, c]
    const at::Tensor scores = at::matmul(queries, keys).mul_(input.scale).add_(input.bias.slice(1, begin, end));
    const at::Tensor attention = (scores - weight * squares).softmax(-1);                         // [H, rows, P]
    all_values.push_back(at::matmul(attention, values).transpose(0, 1));                          // [rows, H, c]
    all_points.push_back(at::matmul(attention, value_points).transpose(0, 1));                    // [rows, H, 3 Nv]
    all_pairs.push_back(at::matmul(attention.transpose(0, 1), input.pair.slice(0, begin, end)));  // [rows, H, C]
  });
  const at::Tensor points = at::cat(all_points).unflatten(2, {3, -1});  // [P, H, 3, Nv]
  return {.values = at::cat(all_values),
          .points = points.transpose(1, 2).contiguous(),  // [P, 3, H, Nv]
          .pairs = at::cat(all_pairs)};
}

}  // namespace pleat::general
