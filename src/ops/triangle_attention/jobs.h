// What the processor's two ways have in common: in float32 by panels, and in bfloat16 by tiles.
#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "ops/pair_tasks.h"
#include "ops/triangle_attention/cpu.h"
#include "ops/triangle_attention/triangle_attention.h"

namespace pleat {

// The kernels' softmax is one of powers of two.
inline double query_scale(std::int64_t head_dim) {
  return std::numbers::log2e / std::sqrt(static_cast<double>(head_dim));
}

// Norm, bias, gate and out as the kernels take them; query, key and value are left out.
inline TriangleAttentionWeights packed(const TriangleAttentionWeights& w,
                                       at::Tensor (*pack)(const at::Tensor& weight)) {
  const auto part = [&](const Projection& p) -> Projection {
    return {pack(p.weight), padded_bias(p.bias, p.weight.size(0))};
  };
  return {.norm = w.norm,
          .bias = (w.bias * std::numbers::log2e).contiguous(),
          .query = {},
          .key = {},
          .value = {},
          .gate = part(w.gate),
          .out = part(w.out)};
}

// Calls the kernel for each row or column of z. `job` holds the weights of query, key and value.
template <class Row>
void attend_lines(at::Tensor& z, const TriangleAttentionWeights& w, Node node, PairWorkspace& workspace, Row job,
                  void (*kernel)(const Row& job, cpu::PairScratch& scratch)) {
  const std::int64_t length = z.size(0);
  const std::int64_t channels = z.size(2);
  const bool columns = node == Node::ending;
  job.channels = channels;
  job.heads = w.bias.size(0);
  job.head_dim = channels / job.heads;
  float* const bias = workspace.need(0, job.heads * length * length);  // [H, L, L]
  write_pair_bias(z, w.norm, w.bias, columns, bias);
  job.norm = norm_of(w.norm);
  set_numbers(job.gate, w.gate.weight);
  set_numbers(job.gate_bias, w.gate.bias);
  set_numbers(job.out, w.out.weight);
  set_numbers(job.out_bias, w.out.bias);
  job.bias = bias;
  job.bias_stride = length;
  job.stride = columns ? length * channels : channels;
  job.length = length;
  auto* const data = z.mutable_data_ptr<float>();
  for_each_task(length, [&](std::int64_t line, cpu::PairScratch& scratch) {
    Row row = job;
    row.z = data + line * (columns ? channels : length * channels);
    kernel(row, scratch);
  });
}

}  // namespace pleat
