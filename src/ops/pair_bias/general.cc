#include "ops/general.h"

#include <ATen/ATen.h>

#include "ops/general_blocks.h"

namespace pleat::general {
namespace {

// A bias of scores, [H, L, L], whose rows begin where ATen's fused attention wants them, so that it makes no copy.
at::Tensor aligned_bias(std::int64_t heads, std::int64_t length, const at::TensorOptions& options) {
  constexpr std::int64_t alignment = 8;
  const std::int64_t stride = (length + alignment - 1) / alignment * alignment;
  return at::zeros({heads, length, stride}, options).slice(2, 0, length);
}

}  // namespace

at::Tensor pair_bias(const at::Tensor& z, const LayerNorm& norm, const at::Tensor& weight, bool transposed,
                     std::int64_t block) {
  const std::int64_t length = z.size(0);
  const at::Tensor bias = aligned_bias(weight.size(0), length, z.options());  // [H, L, L]
  const at::Tensor lines = transposed ? z.transpose(0, 1) : z;
  for_each_block(length, length * z.size(2), block, [&](std::int64_t begin, std::int64_t end) {
    const at::Tensor y = normalize(lines.slice(0, begin, end), norm);           // [rows, L, C]
    bias.slice(1, begin, end).copy_(at::linear(y, weight).permute({2, 0, 1}));  // [H, rows, L]
  });
  return bias;
}

}  // namespace pleat::general
