// Attention within each sequence of a packed batch by ATen's fused kernels, which take cu_seqlens: flash attention for
// bfloat16 and float16, the memory-efficient one for float32.
#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "cuda/ops.h"
#include "ops/attention/kernels.h"
#include "ops/cuda/tensors.h"

namespace pleat::cuda {
namespace {

// The kernels read rows in pieces of 16 bytes.
constexpr std::int64_t head_dim_step = 8;

std::int64_t longest_of(const std::vector<std::int64_t>& cu_seqlens) {
  std::int64_t longest = 0;
  for (std::size_t s = 0; s + 1 < cu_seqlens.size(); ++s) {
    longest = std::max(longest, cu_seqlens[s + 1] - cu_seqlens[s]);
  }
  return longest;
}

// Queries or keys x [T, H, Dh], rotated: arithmetic in float32, the result in the type of x.
at::Tensor rotate(const at::Tensor& x, const TokenPlaces& places) {
  const auto halves = x.to(at::kFloat).chunk(2, -1);
  const at::Tensor first = (halves[0] * places.cos).sub_(halves[1] * places.sin);  // [T, H, Dh / 2]
  const at::Tensor second = (halves[1] * places.cos).add_(halves[0] * places.sin);
  return at::cat({first, second}, -1).to(x.scalar_type());
}

// For the kernel and for flash attention, which reads and writes rows of any stride in pieces of 16 bytes.
bool has_kernels(const at::Tensor& qkv) {
  constexpr std::array<std::int64_t, 5> dims = {16, 24, 32, 64, 128};
  if (!is_half(qkv.scalar_type()) || !qkv.is_contiguous()) return false;
  return uses_kernels("attention", std::ranges::find(dims, qkv.size(3)) != dims.end(), true);
}

// Queries and keys are rotated where they are, and read from there: nothing is copied.
at::Tensor attend_in_place(const AttentionInput& input) {
  const at::Tensor& qkv = input.qkv;
  const std::int64_t tokens = input.cu_seqlens->back();
  const std::int64_t heads = qkv.size(2);
  const std::int64_t dim = qkv.size(3);
  const at::Tensor cos = input.places->cos.contiguous();  // [T, 1, Dh / 2]
  const at::Tensor sin = input.places->sin.contiguous();
  check_launch(rotary::rotate(static_cast<std::uint16_t*>(qkv.mutable_data_ptr()), half_of(qkv.scalar_type()),
                              cos.const_data_ptr<float>(), sin.const_data_ptr<float>(), tokens, static_cast<int>(heads),
                              static_cast<int>(dim), stream_of(qkv)),
               "rotate");
  const at::Tensor& cu_seqlens = input.places->cu_seqlens;
  const std::int64_t longest = longest_of(*input.cu_seqlens);
  at::Tensor mixed = std::get<0>(at::_flash_attention_forward(
      qkv.select(1, 0), qkv.select(1, 1), qkv.select(1, 2), cu_seqlens, cu_seqlens, longest, longest, 0.0, false, false,
      1.0 / std::sqrt(static_cast<double>(dim))));  // [T, H, Dh]
  // No sequence has the rows behind the tokens, of which there are seven at most, and nobody has written them.
  mixed.slice(0, tokens).zero_();
  return mixed.reshape({qkv.size(0), heads * dim});
}

}  // namespace

at::Tensor attention(const AttentionInput& input) {
  const c10::DeviceGuard guard(input.qkv.device());
  if (has_kernels(input.qkv)) return attend_in_place(input);
  const std::int64_t tokens = input.cu_seqlens->back();
  const std::int64_t heads = input.qkv.size(2);
  const std::int64_t dim = input.qkv.size(3);
  const std::int64_t padding = (head_dim_step - dim % head_dim_step) % head_dim_step;
  const auto padded = [&](const at::Tensor& x) {
    const at::Tensor rows = x.slice(0, 0, tokens);  // [tokens, H, Dh]
    return padding > 0 ? at::constant_pad_nd(rows, {0, padding}) : rows.contiguous();
  };
  const at::Tensor q = padded(rotate(input.qkv.select(1, 0), *input.places));
  const at::Tensor k = padded(rotate(input.qkv.select(1, 1), *input.places));
  const at::Tensor v = padded(input.qkv.select(1, 2));
  const at::Tensor& cu_seqlens = input.places->cu_seqlens;
  const std::int64_t longest = longest_of(*input.cu_seqlens);
  const double scale = 1.0 / std::sqrt(static_cast<double>(dim));
  at::Tensor mixed;  // [tokens, H, Dh + padding]
  if (input.qkv.scalar_type() == at::kFloat) {
    mixed =
        std::get<0>(at::_efficient_attention_forward(q.unsqueeze(0), k.unsqueeze(0), v.unsqueeze(0), std::nullopt,
                                                     cu_seqlens, cu_seqlens, longest, longest, 0.0, 0, false, scale))
            .squeeze(0);
  } else {
    mixed = std::get<0>(
        at::_flash_attention_forward(q, k, v, cu_seqlens, cu_seqlens, longest, longest, 0.0, false, false, scale));
  }
  at::Tensor out = at::empty({input.qkv.size(0), heads * dim}, input.qkv.options());  // [T, H * Dh]
  out.slice(0, tokens).zero_();
  out.slice(0, 0, tokens).view({tokens, heads, dim}).copy_(mixed.slice(2, 0, dim));
  return out;
}

}  // namespace pleat::cuda
