#include "ops/general.h"

#include <ATen/ATen.h>

#include <cmath>

#include "ops/attention/heads.h"

namespace pleat::general {

at::Tensor rotated(const AttentionInput& input) {
  const at::Tensor x = input.qkv.slice(1, 0, 2).to(at::kFloat);  // [T, 2, H, Dh]
  const at::Tensor cos = input.places->cos.unsqueeze(1);         // [T, 1, 1, Dh / 2]
  const at::Tensor sin = input.places->sin.unsqueeze(1);
  const auto halves = x.chunk(2, -1);
  const at::Tensor first = (halves[0] * cos).sub_(halves[1] * sin);  // [T, 2, H, Dh / 2]
  const at::Tensor second = (halves[1] * cos).add_(halves[0] * sin);
  return at::cat({first, second}, -1).to(input.qkv.scalar_type());
}

at::Tensor attention(const AttentionInput& input) {
  at::Tensor out = attention_output(input);          // [T, H * Dh]
  const at::Tensor queries_keys = rotated(input);    // [T, 2, H, Dh]
  const at::Tensor values = input.qkv.select(1, 2);  // [T, H, Dh]
  for (std::size_t s = 0; s + 1 < input.cu_seqlens->size(); ++s) {
    const std::int64_t begin = (*input.cu_seqlens)[s];
    const std::int64_t end = (*input.cu_seqlens)[s + 1];
    const auto heads_of = [&](const at::Tensor& x) {
      return x.slice(0, begin, end).transpose(0, 1).unsqueeze(0);  // [1, H, L, Dh]
    };
    const at::Tensor mixed = at::scaled_dot_product_attention(heads_of(queries_keys.select(1, 0)),
                                                              heads_of(queries_keys.select(1, 1)), heads_of(values));
    out.slice(0, begin, end).copy_(mixed.squeeze(0).transpose(0, 1).flatten(1));
  }
  return out;
}

at::Tensor attention_maps(const at::Tensor& rotated, std::int64_t begin, std::int64_t end, std::int64_t first,
                          std::int64_t count) {
  const at::Tensor x = rotated.slice(0, begin, end).slice(2, first, first + count).to(at::kFloat);  // [L, 2, h, Dh]
  const double scale = 1.0 / std::sqrt(static_cast<double>(rotated.size(3)));
  const at::Tensor q = x.select(1, 0).transpose(0, 1);     // [h, L, Dh]
  const at::Tensor k = x.select(1, 1).permute({1, 2, 0});  // [h, Dh, L]
  return at::matmul(q * scale, k).softmax(-1);
}

}  // namespace pleat::general
