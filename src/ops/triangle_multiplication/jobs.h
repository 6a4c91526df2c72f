// What the processor's two ways have in common: in float32 by panels, and in bfloat16 by tiles.
#pragma once

#include "ops/pair_tasks.h"
#include "ops/triangle_multiplication/cpu.h"
#include "ops/triangle_multiplication/triangle_multiplication.h"

namespace pleat {

using PackWeight = at::Tensor (*)(const at::Tensor& weight);

// Weights as the kernels take them, those of a, b and their gates by `of_input`; biases filled up to whole panels.
inline TriangleMultiplicationWeights packed(const TriangleMultiplicationWeights& w, PackWeight of_input,
                                            PackWeight of_output) {
  const auto part = [](const Projection& p, PackWeight pack) -> Projection {
    return {pack(p.weight), padded_bias(p.bias, p.weight.size(0))};
  };
  return {w.norm_in,
          w.norm_out,
          part(w.a, of_input),
          part(w.a_gate, of_input),
          part(w.b, of_input),
          part(w.b_gate, of_input),
          part(w.out, of_output),
          part(w.gate, of_output)};
}

template <class Number>
cpu::TriangleProjectionOf<Number> projection_job(const TriangleMultiplicationWeights& w, std::int64_t channels) {
  cpu::TriangleProjectionOf<Number> job;
  job.channels = channels;
  job.norm = norm_of(w.norm_in);
  set_numbers(job.weight[0], w.a.weight);
  set_numbers(job.weight[1], w.b.weight);
  set_numbers(job.bias[0], w.a.bias);
  set_numbers(job.bias[1], w.b.bias);
  set_numbers(job.gate[0], w.a_gate.weight);
  set_numbers(job.gate[1], w.b_gate.weight);
  set_numbers(job.gate_bias[0], w.a_gate.bias);
  set_numbers(job.gate_bias[1], w.b_gate.bias);
  return job;
}

template <class Number>
using OutputKernel = void (*)(const cpu::Run& run, const cpu::TriangleOutputOf<Number>& job, const float* x,
                              std::int64_t plane, cpu::PairScratch& scratch);

// The gated update of z from x [C, L, plane_stride(L)].
template <class Number>
void write_output(at::Tensor& z, const TriangleMultiplicationWeights& w, const float* x, OutputKernel<Number> kernel) {
  cpu::TriangleOutputOf<Number> job;
  job.channels = z.size(2);
  job.norm_in = norm_of(w.norm_in);
  job.norm_out = norm_of(w.norm_out);
  set_numbers(job.weight, w.out.weight);
  set_numbers(job.bias, w.out.bias);
  set_numbers(job.gate, w.gate.weight);
  set_numbers(job.gate_bias, w.gate.bias);
  const std::int64_t stride = plane_stride(z.size(0));
  const std::int64_t plane = z.size(0) * stride;
  for_each_run(z, false, [&](std::int64_t i, std::int64_t j, const cpu::Run& run, cpu::PairScratch& scratch) {
    kernel(run, job, x + i * stride + j, plane, scratch);
  });
}

}  // namespace pleat
