#include "ops/point_attention/point_attention.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "ops/device_ops.h"
#include "ops/general.h"
#include "tensor/device.h"

namespace pleat {
namespace {

// Queries that are worked on at once: enough for the products to be of matrices, few enough for their scores,
// [rows, H, P], to stay in the processor's cache.
constexpr std::int64_t block_rows = 16;

// What every block reads, laid out for it once.
struct Operands {
  const PointAttentionInput& input;
  at::Tensor q;         // [H, P, c]
  at::Tensor k;         // [H, c, P]
  at::Tensor q_points;  // [P, H, 3 Nq], contiguous
  at::Tensor k_points;  // [H, 3 Nq, P], contiguous: one coordinate of all positions side by side
  at::Tensor values;    // [H, P, c + 3 Nv], values and points side by side
  at::Tensor weight;    // [H], contiguous
};

Operands lay_out(const PointAttentionInput& input) {
  const std::int64_t length = input.q.size(0);
  const std::int64_t heads = input.q.size(1);
  const auto by_head = [&](const at::Tensor& points) {  // [P, 3, H, N] -> [H, P, 3 N]
    return points.permute({2, 0, 1, 3}).reshape({heads, length, -1});
  };
  return {.input = input,
          .q = input.q.transpose(0, 1).contiguous(),
          .k = input.k.permute({1, 2, 0}).contiguous(),
          .q_points = by_head(input.q_points).transpose(0, 1).contiguous(),
          .k_points = by_head(input.k_points).transpose(1, 2).contiguous(),
          .values = at::cat({input.v.transpose(0, 1), by_head(input.v_points)}, -1),
          .weight = input.point_weight.contiguous()};
}

// scores[j] = bias[j] - weight * the sum over `coordinates` of (query - key[j])^2, from direct differences: a product
// of the points would lose digits far from the origin. keys [coordinates, length].
void point_scores(const float* query, const float* keys, std::int64_t coordinates, float weight, const float* bias,
                  std::int64_t length, float* scores) {
  constexpr std::int64_t lanes = 32;  // sums that stay in registers
  std::array<float, lanes> sums{};
  std::int64_t begin = 0;
  for (; begin + lanes <= length; begin += lanes) {
    sums.fill(0);
    for (std::int64_t n = 0; n < coordinates; ++n) {
      const float* const key = keys + n * length + begin;
      for (std::int64_t j = 0; j < lanes; ++j) sums[j] += (query[n] - key[j]) * (query[n] - key[j]);
    }
    for (std::int64_t j = 0; j < lanes; ++j) scores[begin + j] = bias[begin + j] - weight * sums[j];
  }
  for (; begin < length; ++begin) {
    float sum = 0;
    for (std::int64_t n = 0; n < coordinates; ++n) {
      const float difference = query[n] - keys[n * length + begin];
      sum += difference * difference;
    }
    scores[begin] = bias[begin] - weight * sum;
  }
}

// Rows [begin, end) of the result. `scores` [at least end - begin, H, P] is room to work in.
void attend_rows(const Operands& operands, std::int64_t begin, std::int64_t end, at::Tensor scores,
                 PointAttentionOutput& mixed, at::Tensor& values) {
  const std::int64_t heads = operands.q.size(0);
  const std::int64_t length = operands.q.size(1);
  const std::int64_t coordinates = operands.k_points.size(1);
  scores = scores.slice(0, 0, end - begin);  // [rows, H, P]
  auto* const h_scores = scores.mutable_data_ptr<float>();
  const auto* const h_query = operands.q_points.const_data_ptr<float>();
  const auto* const h_keys = operands.k_points.const_data_ptr<float>();
  const auto* const h_bias = operands.input.bias.const_data_ptr<float>();
  const auto* const h_weight = operands.weight.const_data_ptr<float>();
  for (std::int64_t i = begin; i < end; ++i) {
    for (std::int64_t head = 0; head < heads; ++head) {
      point_scores(h_query + (i * heads + head) * coordinates, h_keys + head * coordinates * length, coordinates,
                   h_weight[head], h_bias + (head * length + i) * length, length,
                   h_scores + ((i - begin) * heads + head) * length);
    }
  }
  for (std::int64_t head = 0; head < heads; ++head) {
    const at::Tensor queries = operands.q.select(0, head).slice(0, begin, end);  // [rows, c]
    scores.select(1, head).addmm_(queries, operands.k.select(0, head), 1, operands.input.scale);
  }
  at::softmax_out(scores, scores, -1);
  for (std::int64_t head = 0; head < heads; ++head) {
    at::Tensor out = values.slice(0, begin, end).select(1, head);  // [rows, c + 3 Nv]
    at::mm_out(out, scores.select(1, head), operands.values.select(0, head));
  }
  for (std::int64_t i = begin; i < end; ++i) {
    at::Tensor out = mixed.pairs.select(0, i);  // [H, C]
    at::mm_out(out, scores.select(0, i - begin), operands.input.pair.select(0, i));
  }
}

}  // namespace

PointAttentionOutput point_attention(const PointAttentionInput& input) {
  if (!on_processor(input.q)) return general::point_attention(input);
  const std::int64_t length = input.q.size(0);
  const std::int64_t heads = input.q.size(1);
  const std::int64_t width = input.v.size(2);
  const Operands operands = lay_out(input);
  PointAttentionOutput mixed;
  mixed.pairs = at::empty({length, heads, input.pair.size(2)}, input.pair.options());             // [P, H, C]
  at::Tensor values = at::empty({length, heads, operands.values.size(2)}, input.pair.options());  // [P, H, c + 3 Nv]

  // The last block takes what is left over, so that none is small. Blocks depend on nothing but the length: with them
  // the result has the same bits on any number of threads.
  const std::int64_t blocks = std::max<std::int64_t>(1, length / block_rows);
  at::parallel_for(0, blocks, 1, [&](std::int64_t first, std::int64_t last) {
    const c10::InferenceMode guard;
    const at::Tensor scores = at::empty({std::min(length, 2 * block_rows - 1), heads, length}, input.pair.options());
    for (std::int64_t block = first; block < last; ++block) {
      const std::int64_t end = block + 1 == blocks ? length : (block + 1) * block_rows;
      attend_rows(operands, block * block_rows, end, scores, mixed, values);
    }
  });
  mixed.values = values.slice(2, 0, width);                                                            // [P, H, c]
  mixed.points = values.slice(2, width).reshape({length, heads, 3, -1}).transpose(1, 2).contiguous();  // [P, 3, H, Nv]
  return mixed;
}

at::Tensor invariant_point_attention(const InvariantPointInput& input) {
  if (const auto own = device_ops(input.pair).invariant_point_attention; own != nullptr) {
    const at::Tensor out = own(input);
    if (out.defined()) return out;
  }
  const auto& [heads, width, query_points, value_points] = input.shape;
  const std::int64_t length = input.projected.size(0);
  const std::int64_t all_points = query_points + value_points;
  const std::vector<at::Tensor> parts = input.projected.split_with_sizes(
      {heads * width, 2 * heads * width, 3 * heads * query_points, 3 * heads * all_points}, 1);
  const at::Tensor keys_values = parts[1].view({length, heads, 2 * width});  // [P, H, 2 c]
  // [P, 3 * H * N] -> [P, 3, H, N] in the global frame
  const auto to_global = [&](const at::Tensor& local, std::int64_t points) {
    return input.frames.apply(local.view({length, 3, heads * points})).view({length, 3, heads, points});
  };
  const at::Tensor key_value_points = to_global(parts[3], all_points);  // [P, 3, H, Nq + Nv]
  const PointAttentionOutput mixed = point_attention({.q = parts[0].view({length, heads, width}),
                                                      .k = keys_values.slice(2, 0, width),
                                                      .v = keys_values.slice(2, width),
                                                      .q_points = to_global(parts[2], query_points),
                                                      .k_points = key_value_points.slice(3, 0, query_points),
                                                      .v_points = key_value_points.slice(3, query_points),
                                                      .pair = input.pair,
                                                      .bias = input.bias,
                                                      .point_weight = input.point_weight,
                                                      .scale = std::sqrt(1.0 / (3.0 * static_cast<double>(width)))});
  const at::Tensor local = input.frames.invert_apply(mixed.points.view({length, 3, -1}));  // [P, 3, H * Nv]
  const at::Tensor lengths = local.square().sum(1).add_(input.epsilon).sqrt_();            // [P, H * Nv]
  return at::cat(
      {mixed.values.reshape({length, -1}), local.view({length, -1}), lengths, mixed.pairs.view({length, -1})}, 1);
}

PointAttentionOutput point_attention_reference(const PointAttentionInput& input) {
  const at::Tensor differences = input.q_points.unsqueeze(1) - input.k_points.unsqueeze(0);  // [P, P, 3, H, Nq]
  const at::Tensor squares = differences.square().sum({2, 4}).permute({2, 0, 1});            // [H, P, P]
  const at::Tensor products = at::einsum("ihc,jhc->hij", {input.q, input.k});                // [H, P, P]
  const at::Tensor scores = input.scale * products + input.bias - input.point_weight.view({-1, 1, 1}) * squares;
  const at::Tensor attention = scores.softmax(-1);  // [H, P, P]
  return {.values = at::einsum("hij,jhc->ihc", {attention, input.v}),
          .points = at::einsum("hij,jxhn->ixhn", {attention, input.v_points}),
          .pairs = at::einsum("hij,ijc->ihc", {attention, input.pair})};
}

}  // namespace pleat
