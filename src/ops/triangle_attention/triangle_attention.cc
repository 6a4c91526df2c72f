#include "ops/triangle_attention/triangle_attention.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "ops/device_ops.h"
#include "ops/general.h"
#include "ops/linear/processor.h"
#include "ops/pair_tasks.h"
#include "ops/triangle_attention/by_tiles.h"
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
    : weights_(weights),
      gate_panels_(panels_of(weights.gate.weight)),
      out_panels_(panels_of(weights.out.weight)),
      heads_(weights.bias.size(0)),
      node_(node) {
  if (!on_processor(weights.out.weight)) {
    const auto make = device_ops(weights.out.weight).triangle_attention;
    if (operands == at::kBFloat16 && make != nullptr) own_ = make(weights, node);
    return;
  }
  const cpu::TileKernels* const tiles = operands == at::kBFloat16 ? trusted_tile_kernels() : nullptr;
  if (tiles != nullptr) {
    by_tiles_ = std::make_shared<TriangleAttentionByTiles>(*tiles, weights, node);
    weights_ = {};
    out_panels_.reset();
    gate_panels_.reset();
    return;
  }
  const std::int64_t channels = weights.query.size(0);
  const std::int64_t head_dim = channels / heads_;
  // The kernel's softmax is one of powers of two.
  const double scale = std::numbers::log2e / std::sqrt(static_cast<double>(head_dim));
  std::vector<at::Tensor> panels;
  for (std::int64_t h = 0; h < heads_; ++h) {
    const auto rows = [&](const at::Tensor& weight) { return weight.slice(0, h * head_dim, (h + 1) * head_dim); };
    const std::int64_t padding = cpu::padded_head_dim(head_dim) - head_dim;
    panels.push_back(panels_of(at::cat({at::constant_pad_nd(rows(weights.query) * scale, {0, 0, 0, padding}),
                                        at::constant_pad_nd(rows(weights.value), {0, 0, 0, padding})})));
  }
  query_value_panels_ = at::cat(panels);
  weights_.key = weights.key.contiguous();
  weights_.bias = (weights.bias * std::numbers::log2e).contiguous();
  weights_.gate.bias = padded_bias(weights.gate.bias, channels);
  weights_.out.bias = padded_bias(weights.out.bias, channels);
  for (at::Tensor* used : {&weights_.query, &weights_.value, &weights_.gate.weight, &weights_.out.weight})
    used->reset();
}

void TriangleAttention::operator()(at::Tensor& z, PairWorkspace& workspace) const {
  if (!on_processor(z)) return own_ ? own_(z) : general::triangle_attention(z, weights_, node_);
  if (by_tiles_) return (*by_tiles_)(z, workspace);
  const std::int64_t length = z.size(0);
  const std::int64_t channels = z.size(2);
  const bool columns = node_ == Node::ending;
  const cpu::Kernels& kernels = cpu::kernels();
  float* const bias = workspace.need(0, heads_ * length * length);  // [H, L, L]
  write_pair_bias(z, weights_.norm, weights_.bias, columns, bias);

  cpu::TriangleAttentionRow job;
  job.channels = channels;
  job.heads = heads_;
  job.head_dim = channels / heads_;
  job.norm = norm_of(weights_.norm);
  job.query_value = query_value_panels_.const_data_ptr<float>();
  job.key = weights_.key.const_data_ptr<float>();
  job.gate = gate_panels_.const_data_ptr<float>();
  job.gate_bias = weights_.gate.bias.const_data_ptr<float>();
  job.out = out_panels_.const_data_ptr<float>();
  job.out_bias = weights_.out.bias.const_data_ptr<float>();
  job.bias = bias;
  job.bias_stride = length;
  job.stride = columns ? length * channels : channels;
  job.length = length;
  auto* const data = z.mutable_data_ptr<float>();
  for_each_task(length, [&](std::int64_t line, cpu::PairScratch& scratch) {
    cpu::TriangleAttentionRow row = job;
    row.z = data + line * (columns ? channels : length * channels);
    kernels.triangle_attention(row, scratch);
  });
}

}  // namespace pleat
