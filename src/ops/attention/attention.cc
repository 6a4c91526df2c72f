#include "ops/attention/attention.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ops/attention/heads.h"
#include "ops/device_ops.h"
#include "ops/element.h"
#include "ops/first_error.h"
#include "ops/linear/processor.h"
#include "tensor/device.h"
#include "tensor/host.h"

namespace pleat {
namespace {

// Queries of one task: enough to repay laying out the keys and values of a head, few enough to share a long sequence
// among many threads.
constexpr std::int64_t task_rows = 512;

struct Task {
  std::int64_t sequence;
  std::int64_t head;
  std::int64_t q_begin;
  std::int64_t q_end;
};

// The tiles in which a row is needed, as a whole: so its bits are those of a pass that needs all.
std::vector<Task> needed_tasks(const std::vector<std::int64_t>& cu_seqlens, const std::vector<std::int64_t>& needed,
                               std::int64_t heads) {
  std::vector<Task> tasks;
  auto next = needed.begin();
  for (std::size_t s = 0; s + 1 < cu_seqlens.size(); ++s) {
    const std::int64_t length = cu_seqlens[s + 1] - cu_seqlens[s];
    std::int64_t done = 0;
    for (; next != needed.end() && *next < cu_seqlens[s + 1]; ++next) {
      const std::int64_t place = *next - cu_seqlens[s];
      if (place < done) continue;
      const std::int64_t begin = place / cpu::attention_tile_rows * cpu::attention_tile_rows;
      done = std::min(begin + cpu::attention_tile_rows, length);
      for (std::int64_t head = 0; head < heads; ++head) {
        tasks.push_back({static_cast<std::int64_t>(s), head, begin, done});
      }
    }
  }
  return tasks;
}

std::vector<Task> tasks_of(const std::vector<std::int64_t>& cu_seqlens, std::int64_t heads) {
  std::vector<Task> tasks;
  for (std::size_t s = 0; s + 1 < cu_seqlens.size(); ++s) {
    const std::int64_t length = cu_seqlens[s + 1] - cu_seqlens[s];
    for (std::int64_t head = 0; head < heads; ++head) {
      for (std::int64_t q = 0; q < length; q += task_rows) {
        tasks.push_back({static_cast<std::int64_t>(s), head, q, std::min(q + task_rows, length)});
      }
    }
  }
  return tasks;
}

// x [L, H, Dh], rotated as the reference writes it: x * cos + rotate_half(x) * sin.
at::Tensor rotate_reference(const at::Tensor& x, const RotaryTable& rotary) {
  const at::Tensor cos = at::cat({rotary.cos, rotary.cos}, -1).slice(0, 0, x.size(0)).unsqueeze(1);  // [L, 1, Dh]
  const at::Tensor sin = at::cat({rotary.sin, rotary.sin}, -1).slice(0, 0, x.size(0)).unsqueeze(1);
  const auto halves = x.chunk(2, -1);
  return x * cos + at::cat({-halves[1], halves[0]}, -1) * sin;
}

// The attention maps of one sequence, [H, L, L] float32.
at::Tensor maps_of(const at::Tensor& qkv, const RotaryTable& rotary) {
  const double scale = 1.0 / std::sqrt(static_cast<double>(qkv.size(3)));
  const at::Tensor q = rotate_reference(qkv.select(1, 0).to(at::kFloat) * scale, rotary);  // [L, H, Dh]
  const at::Tensor k = rotate_reference(qkv.select(1, 1).to(at::kFloat), rotary);
  return at::matmul(q.transpose(0, 1), k.permute({1, 2, 0})).softmax(-1);
}

}  // namespace

// The same operations in the same type as the reference: at position 1,000 a last-bit difference of a frequency turns
// the angle by 6e-5.
at::Tensor RotaryTable::frequencies(std::int64_t head_dim) {
  const at::Tensor exponents = at::arange(0, head_dim, 2, at::kLong).to(at::kFloat) / head_dim;
  return 1.0 / at::pow(10000.0, exponents);  // [Dh / 2]
}

RotaryTable RotaryTable::make(std::int64_t positions, const at::Tensor& frequencies) {
  const at::Tensor angles = at::outer(at::arange(positions, at::kLong).to(at::kFloat), frequencies);  // [P, Dh / 2]
  return {angles.cos().contiguous(), angles.sin().contiguous()};
}

TokenPlaces TokenPlaces::make(const std::vector<std::int64_t>& cu_seqlens, std::int64_t tokens,
                              const RotaryTable& rotary, at::Device device) {
  std::vector<std::int64_t> in_sequence(static_cast<std::size_t>(tokens), 0);
  for (std::size_t s = 0; s + 1 < cu_seqlens.size(); ++s) {
    std::iota(in_sequence.begin() + cu_seqlens[s], in_sequence.begin() + cu_seqlens[s + 1], 0);
  }
  const at::Tensor positions = sent_to(device, in_sequence);  // [T]
  const auto of_tokens = [&](const at::Tensor& table) {
    return sent_to(device, table).index_select(0, positions).unsqueeze(1);  // [T, 1, Dh / 2]
  };
  return {.cu_seqlens = sent_to(device, cu_seqlens).to(at::kInt),
          .cos = of_tokens(rotary.cos),
          .sin = of_tokens(rotary.sin)};
}

cpu::AttentionHead attention_head(const AttentionInput& input, at::Tensor& out, std::int64_t sequence,
                                  std::int64_t head) {
  const at::Tensor& qkv = input.qkv;
  const std::int64_t first = (*input.cu_seqlens)[sequence];
  const std::int64_t length = (*input.cu_seqlens)[sequence + 1] - first;
  const std::int64_t dim = qkv.size(3);
  const std::int64_t width = qkv.size(2) * dim;
  const auto element = static_cast<std::int64_t>(qkv.element_size());
  const char* const base = static_cast<const char*>(qkv.const_data_ptr()) + (first * 3 * width + head * dim) * element;
  cpu::AttentionHead h;
  h.q = base;
  h.k = base + width * element;
  h.v = base + 2 * width * element;
  h.row_stride = 3 * width;
  h.out = static_cast<char*>(out.mutable_data_ptr()) + (first * width + head * dim) * element;
  h.out_stride = width;
  h.element = element_of(qkv);
  h.length = length;
  h.head_dim = dim;
  h.cos = input.rotary->cos.const_data_ptr<float>();
  h.sin = input.rotary->sin.const_data_ptr<float>();
  h.scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(dim)));
  return h;
}

cpu::AttentionKernels attention_kernels(const AttentionInput& input) {
  const cpu::TileKernels* const tiles = input.qkv.scalar_type() == at::kBFloat16 ? trusted_tile_kernels() : nullptr;
  if (tiles != nullptr) return {tiles->pack_keys_values, tiles->attention_tile};
  return {cpu::kernels().pack_keys_values, cpu::kernels().attention_tile};
}

at::Tensor attention_output(const AttentionInput& input) {
  at::Tensor out = at::empty({input.qkv.size(0), input.qkv.size(2) * input.qkv.size(3)}, input.qkv.options());
  out.slice(0, input.cu_seqlens->back()).zero_();
  return out;
}

at::Tensor attention(const AttentionInput& input) {
  if (!on_processor(input.qkv)) return device_ops(input.qkv).attention(input);
  at::Tensor out = attention_output(input);  // [T, H * Dh]
  const std::int64_t heads = input.qkv.size(2);
  const std::vector<Task> tasks = input.needed != nullptr ? needed_tasks(*input.cu_seqlens, *input.needed, heads)
                                                          : tasks_of(*input.cu_seqlens, heads);
  const cpu::AttentionKernels kernels = attention_kernels(input);
  const auto count = static_cast<std::int64_t>(tasks.size());
  FirstError error;
#pragma omp parallel num_threads(at::get_num_threads())
  {
    thread_local cpu::AttentionScratch scratch;
#pragma omp for schedule(dynamic)
    for (std::int64_t t = 0; t < count; ++t) {
      error.guard([&] {
        const Task& task = tasks[t];
        const cpu::AttentionHead head = attention_head(input, out, task.sequence, task.head);
        kernels.pack_keys_values(head, scratch);
        for (std::int64_t q = task.q_begin; q < task.q_end; q += cpu::attention_tile_rows) {
          kernels.attention_tile(head, q, std::min(cpu::attention_tile_rows, task.q_end - q), scratch);
        }
      });
    }
  }
  error.rethrow();
  return out;
}

at::Tensor attention_maps_reference(const AttentionInput& input, std::int64_t sequence) {
  const auto& cu_seqlens = *input.cu_seqlens;
  return maps_of(input.qkv.slice(0, cu_seqlens[sequence], cu_seqlens[sequence + 1]), *input.rotary);
}

at::Tensor attention_reference(const AttentionInput& input) {
  at::Tensor out = attention_output(input);  // [T, H * Dh]
  for (std::size_t s = 0; s + 1 < input.cu_seqlens->size(); ++s) {
    const std::int64_t begin = (*input.cu_seqlens)[s];
    const std::int64_t end = (*input.cu_seqlens)[s + 1];
    const at::Tensor maps = attention_maps_reference(input, static_cast<std::int64_t>(s));            // [H, L, L]
    const at::Tensor v = input.qkv.slice(0, begin, end).select(1, 2).to(at::kFloat).transpose(0, 1);  // [H, L, Dh]
    out.slice(0, begin, end) = at::matmul(maps, v).transpose(0, 1).flatten(1).to(out.scalar_type());
  }
  return out;
}

}  // namespace pleat
