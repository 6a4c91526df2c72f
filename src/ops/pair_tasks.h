// How the operations on a pair representation share their work among threads.
#pragma once

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

#include <cstdint>

#include "ops/cpu/kernels.h"
#include "ops/first_error.h"
#include "ops/layer_norm/layer_norm.h"

namespace pleat {

// body(task, scratch) for every task in [0, tasks), with a scratch for each thread.
template <class Body>
void for_each_task(std::int64_t tasks, const Body& body) {
  FirstError error;
#pragma omp parallel num_threads(at::get_num_threads())
  {
    thread_local cpu::PairScratch scratch;
#pragma omp for schedule(dynamic)
    for (std::int64_t task = 0; task < tasks; ++task) {
      error.guard([&] { body(task, scratch); });
    }
  }
  error.rethrow();
}

// body(line, run's first position, run, scratch) for all pairs of z [L, L, C]: along its rows, line = i and the run
// goes over j, or, when `columns`, line = j and the run goes over i.
template <class Body>
void for_each_run(const at::Tensor& z, bool columns, const Body& body) {
  const std::int64_t length = z.size(0);
  const std::int64_t channels = z.size(2);
  const std::int64_t line_stride = columns ? channels : length * channels;
  const std::int64_t stride = columns ? length * channels : channels;
  auto* const data = static_cast<float*>(z.data_ptr());
  for_each_task(length, [&](std::int64_t line, cpu::PairScratch& scratch) {
    for (std::int64_t r = 0; r < length; r += cpu::run_length) {
      const cpu::Run run{data + line * line_stride + r * stride, stride, std::min(cpu::run_length, length - r)};
      body(line, r, run, scratch);
    }
  });
}

inline cpu::Norm norm_of(const LayerNorm& norm) {
  return {norm.weight.const_data_ptr<float>(), norm.bias.const_data_ptr<float>()};
}

// A job's pointer to the numbers of a contiguous tensor: float, or the bits of bfloat16.
template <class Number>
void set_numbers(const Number*& pointer, const at::Tensor& tensor) {
  pointer = static_cast<const Number*>(tensor.const_data_ptr());
}

// pair_bias into memory of the caller's, [heads, L, L]; weight [heads, C] contiguous.
void write_pair_bias(const at::Tensor& z, const LayerNorm& norm, const at::Tensor& weight, bool transposed,
                     float* bias);

// What follows leaves a weight alone that is on another device than the processor: no panels, and the bias as it is.
// weight [out, in] -> panels of its transpose.
[[nodiscard]] at::Tensor panels_of(const at::Tensor& weight);
// A bias [out], or none, filled up with zeros to whole panels.
[[nodiscard]] at::Tensor padded_bias(const at::Tensor& bias, std::int64_t out);

// Floats from one row of a plane [L, L] to the next, for planes that kernels write in whole registers. Never a multiple
// of 1,024: rows that far apart would fall into the same place of the processor's cache.
[[nodiscard]] std::int64_t plane_stride(std::int64_t length);

}  // namespace pleat
