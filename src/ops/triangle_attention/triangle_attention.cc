#include "ops/triangle_attention/triangle_attention.h"

#include <ATen/ATen.h>

#include <cmath>
#include <vector>

#include "ops/device_ops.h"
#include "ops/general.h"
#include "ops/linear/processor.h"
#include "ops/triangle_attention/by_tiles.h"
#include "ops/triangle_attention/jobs.h"
#include "tensor/device.h"

namespace pleat {

void triangle_attention_reference(at::Tensor& z, const TriangleAttentionWeights& w, Node node) {
  const std::int64_t heads = w.bias.size(0);
  const std::int64_t head_dim = w.query.size(0) / heads;
  at::Tensor lines = node == Node::starting ? z : z.transpose(0, 1);  // [L, L, C]
  const at::Tensor y = normalize(lines, w.norm);                      // [L, L, C]
  const auto split = [&](const at::Tensor& x) { return x.unflatten(2, {heads, head_dim}).transpose(1, 2); };
  const at::Tensor q = split(at::linear(y, w.query)) / std::sqrt(static_cast<double>(head_dim));  // [L, H, L, Dh]
  const at::Tensor k = split(at::linear(y, w.key));
  const at::Tensor v = split(at::linear(y, w.value));
  const at::Tensor bias = at::linear(y, w.bias).permute({2, 0, 1});               // [H, L, L]
  const at::Tensor maps = (at::matmul(q, k.transpose(2, 3)) + bias).softmax(-1);  // [L, H, L, L]
  const at::Tensor gathered = at::matmul(maps, v).transpose(1, 2).flatten(2);     // [L, L, C]
  lines += at::linear(at::linear(y, w.gate.weight, w.gate.bias).sigmoid() * gathered, w.out.weight, w.out.bias);
}

TriangleAttention::TriangleAttention(const TriangleAttentionWeights& weights, Node node, at::ScalarType operands)
    : node_(node) {
  if (!on_processor(weights.out.weight)) {
    const auto make = device_ops(weights.out.weight).triangle_attention;
    if (operands == at::kBFloat16 && make != nullptr) own_ = make(weights, node);
    weights_ = weights;
    return;
  }
  const cpu::TileKernels* const tiles = operands == at::kBFloat16 ? trusted_tile_kernels() : nullptr;
  if (tiles != nullptr) {
    by_tiles_ = std::make_shared<TriangleAttentionByTiles>(*tiles, weights, node);
    return;
  }
  const std::int64_t heads = weights.bias.size(0);
  const std::int64_t head_dim = weights.query.size(0) / heads;
  std::vector<at::Tensor> panels;
  for (std::int64_t h = 0; h < heads; ++h) {
    const auto rows = [&](const at::Tensor& weight) { return weight.slice(0, h * head_dim, (h + 1) * head_dim); };
    const std::int64_t padding = cpu::padded_head_dim(head_dim) - head_dim;
    panels.push_back(
        panels_of(at::cat({at::constant_pad_nd(rows(weights.query) * query_scale(head_dim), {0, 0, 0, padding}),
                           at::constant_pad_nd(rows(weights.value), {0, 0, 0, padding})})));
  }
  query_value_panels_ = at::cat(panels);
  weights_ = packed(weights, panels_of);
  weights_.key = weights.key.contiguous();
}

void TriangleAttention::operator()(at::Tensor& z, PairWorkspace& workspace) const {
  if (!on_processor(z)) return own_ ? own_(z) : general::triangle_attention(z, weights_, node_);
  if (by_tiles_) return (*by_tiles_)(z, workspace);
  cpu::TriangleAttentionRow job;
  set_numbers(job.query_value, query_value_panels_);
  set_numbers(job.key, weights_.key);
  attend_lines(z, weights_, node_, workspace, job, cpu::kernels().triangle_attention);
}

}  // namespace pleat
