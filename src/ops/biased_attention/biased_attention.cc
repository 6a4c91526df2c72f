#include "ops/biased_attention/biased_attention.h"

#include <ATen/ATen.h>

#include <cmath>

#include "ops/device_ops.h"
#include "ops/general.h"
#include "ops/pair_tasks.h"
#include "tensor/device.h"

namespace pleat {

namespace {

at::Tensor gated(const at::Tensor& mixed, const at::Tensor& gate) {
  return gate.defined() ? mixed * gate.to(at::kFloat).sigmoid() : mixed;
}

}  // namespace

at::Tensor biased_attention_reference(const at::Tensor& qkv, const at::Tensor& bias, const at::Tensor& gate) {
  const double scale = 1.0 / std::sqrt(static_cast<double>(qkv.size(3)));
  const auto part = [&](std::int64_t i) { return qkv.select(2, i).transpose(0, 1).to(at::kFloat); };  // [H, L, Dh]
  const at::Tensor q = part(0) * scale;
  const at::Tensor k = part(1);
  const at::Tensor v = part(2);
  const at::Tensor maps = (at::matmul(q, k.transpose(1, 2)) + bias).softmax(-1);  // [H, L, L]
  return gated(at::matmul(maps, v).transpose(0, 1).flatten(1), gate).to(qkv.scalar_type());
}

at::Tensor biased_attention(const at::Tensor& given, const at::Tensor& bias, const at::Tensor& gate) {
  const auto own = device_ops(given).biased_attention;
  if (own != nullptr && given.scalar_type() == at::kBFloat16) {
    const at::Tensor out = own(given, bias, gate);
    if (out.defined()) return out;
  }
  const at::Tensor qkv = given.to(at::kFloat);  // [L, H, 3, Dh]
  if (!on_processor(qkv)) return gated(general::biased_attention(qkv, bias), gate).to(given.scalar_type());
  const std::int64_t length = qkv.size(0);
  const std::int64_t heads = qkv.size(1);
  const std::int64_t dim = qkv.size(3);
  at::Tensor out = at::empty({length, heads * dim}, qkv.options());
  const auto* const h_qkv = qkv.const_data_ptr<float>();
  const auto* const h_bias = bias.const_data_ptr<float>();
  auto* const h_out = out.mutable_data_ptr<float>();
  for_each_task(heads, [&](std::int64_t h, cpu::PairScratch& scratch) {
    cpu::BiasedHead head;
    head.q = h_qkv + h * 3 * dim;
    head.k = head.q + dim;
    head.v = head.k + dim;
    head.row_stride = heads * 3 * dim;
    head.scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(dim)));
    head.bias = h_bias + h * length * length;
    head.bias_stride = length;
    head.out = h_out + h * dim;
    head.out_stride = heads * dim;
    head.length = length;
    head.head_dim = dim;
    cpu::kernels().biased_attention(head, scratch);
  });
  return gated(out, gate).to(given.scalar_type());
}

}  // namespace pleat
