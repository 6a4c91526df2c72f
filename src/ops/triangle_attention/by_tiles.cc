#include "ops/triangle_attention/by_tiles.h"

#include <ATen/ATen.h>

#include <vector>

#include "ops/linear/processor.h"
#include "ops/triangle_attention/jobs.h"

namespace pleat {
namespace {

// Head after head, each of query, key and value filled up to whole panels.
at::Tensor pack_heads(const TriangleAttentionWeights& weights, std::int64_t heads) {
  const std::int64_t head_dim = weights.query.size(0) / heads;
  const std::int64_t padding = cpu::whole_blocks(head_dim) - head_dim;
  std::vector<at::Tensor> packed;
  for (std::int64_t h = 0; h < heads; ++h) {
    const auto part = [&](const at::Tensor& weight) {
      return at::constant_pad_nd(weight.slice(0, h * head_dim, (h + 1) * head_dim), {0, 0, 0, padding});
    };
    packed.push_back(
        right_tiles_of(at::cat({part(weights.query * query_scale(head_dim)), part(weights.key), part(weights.value)})));
  }
  return at::cat(packed);
}

}  // namespace

TriangleAttentionByTiles::TriangleAttentionByTiles(const cpu::TileKernels& kernels,
                                                   const TriangleAttentionWeights& weights, Node node)
    : kernels_(kernels),
      weights_(packed(weights, right_tiles_of)),
      query_key_value_(pack_heads(weights, weights.bias.size(0))),
      node_(node) {}

void TriangleAttentionByTiles::operator()(at::Tensor& z, PairWorkspace& workspace) const {
  cpu::TileTriangleAttentionRow job;
  set_numbers(job.query_key_value, query_key_value_);
  attend_lines(z, weights_, node_, workspace, job, kernels_.triangle_attention);
}

}  // namespace pleat
