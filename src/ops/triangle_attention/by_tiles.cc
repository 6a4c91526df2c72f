#include "ops/triangle_attention/by_tiles.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "ops/linear/processor.h"
#include "ops/pair_tasks.h"

namespace pleat {
namespace {

// Head after head, each of query, key and value filled up to whole panels. The kernel's softmax is one of powers of
// two.
at::Tensor pack_heads(const TriangleAttentionWeights& weights, std::int64_t heads) {
  const std::int64_t head_dim = weights.query.size(0) / heads;
  const double scale = std::numbers::log2e / std::sqrt(static_cast<double>(head_dim));
  const std::int64_t padding = (head_dim + block_of_tiles - 1) / block_of_tiles * block_of_tiles - head_dim;
  std::vector<at::Tensor> packed;
  for (std::int64_t h = 0; h < heads; ++h) {
    const auto part = [&](const at::Tensor& weight) {
      return at::constant_pad_nd(weight.slice(0, h * head_dim, (h + 1) * head_dim), {0, 0, 0, padding});
    };
    packed.push_back(right_tiles_of(at::cat({part(weights.query * scale), part(weights.key), part(weights.value)})));
  }
  return at::cat(packed);
}

Projection packed(const Projection& p) { return {right_tiles_of(p.weight), padded_bias(p.bias, p.weight.size(0))}; }

}  // namespace

TriangleAttentionByTiles::TriangleAttentionByTiles(const cpu::TileKernels& kernels,
                                                   const TriangleAttentionWeights& weights, Node node)
    : kernels_(kernels),
      norm_(weights.norm),
      bias_((weights.bias * std::numbers::log2e).contiguous()),
      query_key_value_(pack_heads(weights, weights.bias.size(0))),
      gate_(packed(weights.gate)),
      out_(packed(weights.out)),
      heads_(weights.bias.size(0)),
      node_(node) {}

void TriangleAttentionByTiles::operator()(at::Tensor& z, PairWorkspace& workspace) const {
  const std::int64_t length = z.size(0);
  const std::int64_t channels = z.size(2);
  const bool columns = node_ == Node::ending;
  float* const bias = workspace.need(0, heads_ * length * length);  // [H, L, L]
  write_pair_bias(z, norm_, bias_, columns, bias);

  cpu::TileTriangleAttentionRow job;
  job.channels = channels;
  job.heads = heads_;
  job.head_dim = channels / heads_;
  job.norm = norm_of(norm_);
  job.query_key_value = halves(query_key_value_);
  job.gate = halves(gate_.weight);
  job.gate_bias = gate_.bias.const_data_ptr<float>();
  job.out = halves(out_.weight);
  job.out_bias = out_.bias.const_data_ptr<float>();
  job.bias = bias;
  job.bias_stride = length;
  job.stride = columns ? length * channels : channels;
  job.length = length;
  auto* const data = z.mutable_data_ptr<float>();
  for_each_task(length, [&](std::int64_t line, cpu::PairScratch& scratch) {
    cpu::TileTriangleAttentionRow row = job;
    row.z = data + line * (columns ? channels : length * channels);
    kernels_.triangle_attention(row, scratch);
  });
}

}  // namespace pleat
