#include "ops/general.h"

#include <ATen/ATen.h>

#include "ops/general_blocks.h"

namespace pleat::general {
namespace {

// The weight's rows [first, first + count) and their biases.
Projection rows_of(const Projection& p, std::int64_t first, std::int64_t count) {
  return {p.weight.narrow(0, first, count), p.bias.defined() ? p.bias.narrow(0, first, count) : at::Tensor()};
}

}  // namespace

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
        const at::Tensor y = normalize(z.slice(0, begin, end), w.norm_in);  // [rows, L, C]
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
    const at::Tensor gate = linear(normalize(rows, w.norm_in), w.gate).sigmoid_();  // [rows, L, C]
    const at::Tensor mixed = x.slice(1, begin, end).permute({1, 2, 0}).contiguous();
    rows.add_(linear(normalize(mixed, w.norm_out), w.out).mul_(gate));
  });
}

}  // namespace pleat::general
