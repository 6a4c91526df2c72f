#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "general.h"

namespace pleat::general {
namespace {

at::Tensor linear(const at::Tensor& x, const Projection& p) { return at::linear(x, p.weight, p.bias); }

at::Tensor normalise(const at::Tensor& x, const LayerNorm& norm) {
  return at::layer_norm(x, {x.size(-1)}, norm.weight, norm.bias, 1e-5);
}

// body(begin, end) for blocks of rows [0, rows) of `row_elements` each that have at most `block` elements.
template <class Body>
void for_each_block(std::int64_t rows, std::int64_t row_elements, std::int64_t block, const Body& body) {
  const std::int64_t step = std::max<std::int64_t>(1, block / std::max<std::int64_t>(1, row_elements));
  for (std::int64_t begin = 0; begin < rows; begin += step) body(begin, std::min(begin + step, rows));
}

// A bias of scores, [H, L, L], whose rows begin where ATen's fused attention wants them, so that it makes no copy.
at::Tensor aligned_bias(std::int64_t heads, std::int64_t length, const at::TensorOptions& options) {
  constexpr std::int64_t alignment = 8;
  const std::int64_t stride = (length + alignment - 1) / alignment * alignment;
  return at::zeros({heads, length, stride}, options).slice(2, 0, length);
}

// The weight's rows [first, first + count) and their biases.
Projection rows_of(const Projection& p, std::int64_t first, std::int64_t count) {
  return {p.weight.narrow(0, first, count), p.bias.defined() ? p.bias.narrow(0, first, count) : at::Tensor()};
}

}  // namespace

at::Tensor pair_bias(const at::Tensor& z, const LayerNorm& norm, const at::Tensor& weight, bool transposed,
                     std::int64_t block) {
  const std::int64_t length = z.size(0);
  const at::Tensor bias = aligned_bias(weight.size(0), length, z.options());  // [H, L, L]
  const at::Tensor lines = transposed ? z.transpose(0, 1) : z;
  for_each_block(length, length * z.size(2), block, [&](std::int64_t begin, std::int64_t end) {
    const at::Tensor y = normalise(lines.slice(0, begin, end), norm);           // [rows, L, C]
    bias.slice(1, begin, end).copy_(at::linear(y, weight).permute({2, 0, 1}));  // [H, rows, L]
  });
  return bias;
}

at::Tensor biased_attention(const at::Tensor& qkv, const at::Tensor& bias) {
  const auto part = [&](std::int64_t i) { return qkv.select(2, i).transpose(0, 1).unsqueeze(0); };  // [1, H, L, Dh]
  return at::scaled_dot_product_attention(part(0), part(1), part(2), bias.unsqueeze(0))
      .squeeze(0)
      .transpose(0, 1)
      .flatten(1);  // [L, H * Dh]
}

void pair_transition(at::Tensor& z, const PairTransitionWeights& weights, std::int64_t block) {
  const std::int64_t row = z.size(1) * weights.in.weight.size(0);
  for_each_block(z.size(0), row, block, [&](std::int64_t begin, std::int64_t end) {
    at::Tensor rows = z.slice(0, begin, end);                               // [rows, L, C]
    at::Tensor hidden = linear(normalise(rows, weights.norm), weights.in);  // [rows, L, hidden]
    rows.add_(linear(hidden.relu_(), weights.out));
  });
}

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

void triangle_multiplication(at::Tensor& z, const TriangleMultiplicationWeights& w, Triangle triangle,
                             std::int64_t chunk_size, std::int64_t block) {
  const std::int64_t length = z.size(0);
  const std::int64_t channels = z.size(2);
  const std::int64_t row = length * channels;
  const std::int64_t chunk = std::clamp<std::int64_t>(chunk_size, 1, channels);
  const at::Tensor x = at::empty({channels, length, length}, z.options());  // [C, L, L]
  {
    const at::Tensor a = at::empty({chunk, length, length}, z.options());  // [chunk, L, L]
    const at::Tensor b = at::empty_like(a);
    for (std::int64_t first = 0; first < channels; first += chunk) {
      const std::int64_t count = std::min(chunk, channels - first);
      const auto project = [&](const at::Tensor& y, const Projection& p, const Projection& gate) {
        return linear(y, rows_of(gate, first, count)).sigmoid_().mul_(linear(y, rows_of(p, first, count)));
      };
      for_each_block(length, row, block, [&](std::int64_t begin, std::int64_t end) {
        const at::Tensor y = normalise(z.slice(0, begin, end), w.norm_in);  // [rows, L, C]
        a.slice(0, 0, count).slice(1, begin, end).copy_(project(y, w.a, w.a_gate).permute({2, 0, 1}));
        b.slice(0, 0, count).slice(1, begin, end).copy_(project(y, w.b, w.b_gate).permute({2, 0, 1}));
      });
      at::Tensor product = x.slice(0, first, first + count);  // [count, L, L]
      const at::Tensor left = a.slice(0, 0, count);
      const at::Tensor right = b.slice(0, 0, count);
      if (triangle == Triangle::outgoing) {
        at::bmm_out(product, left, right.transpose(1, 2));
      } else {
        at::bmm_out(product, left.transpose(1, 2), right);
      }
    }
  }
  for_each_block(length, row, block, [&](std::int64_t begin, std::int64_t end) {
    at::Tensor rows = z.slice(0, begin, end);                                       // [rows, L, C]
    const at::Tensor gate = linear(normalise(rows, w.norm_in), w.gate).sigmoid_();  // [rows, L, C]
    const at::Tensor mixed = x.slice(1, begin, end).permute({1, 2, 0}).contiguous();
    rows.add_(linear(normalise(mixed, w.norm_out), w.out).mul_(gate));
  });
}

void triangle_attention(at::Tensor& z, const TriangleAttentionWeights& w, Node node, std::int64_t block) {
  const std::int64_t length = z.size(0);
  const std::int64_t heads = w.bias.size(0);
  const std::int64_t head_dim = w.query.size(0) / heads;
  const at::Tensor lines = node == Node::starting ? z : z.transpose(0, 1);                         // [L, L, C]
  const at::Tensor bias = pair_bias(z, w.norm, w.bias, node == Node::ending, block).unsqueeze(0);  // [1, H, L, L]
  for_each_block(length, length * z.size(2), block, [&](std::int64_t begin, std::int64_t end) {
    const at::Tensor rows = lines.slice(0, begin, end);  // [rows, L, C]
    const at::Tensor y = normalise(rows, w.norm);        // [rows, L, C]
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
