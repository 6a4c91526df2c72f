#include "ops/general.h"

#include <ATen/ATen.h>

namespace pleat::general {

at::Tensor biased_attention(const at::Tensor& qkv, const at::Tensor& bias) {
  const auto part = [&](std::int64_t i) { return qkv.select(2, i).transpose(0, 1).unsqueeze(0); };  // [1, H, L, Dh]
  return at::scaled_dot_product_attention(part(0), part(1), part(2), bias.unsqueeze(0))
      .squeeze(0)
      .transpose(0, 1)
      .flatten(1);  // [L, H * Dh]
}

}  // namespace pleat::general
