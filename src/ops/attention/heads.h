// From the packed tensor to the kernels' view of one head: shared by attention, contacts and attention maps.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>

#include "ops/attention/attention.h"
#include "ops/cpu/kernels.h"
#include "ops/first_error.h"

namespace pleat {

// Head `head` of sequence `sequence`; `out` [T, H * Dh].
[[nodiscard]] cpu::AttentionHead attention_head(const AttentionInput& input, at::Tensor& out, std::int64_t sequence,
                                                std::int64_t head);

}  // namespace pleat

namespace pleat::cpu {

// What kernels.h says of these two.
struct AttentionKernels {
  void (*pack_keys_values)(const AttentionHead& head, AttentionScratch& scratch);
  void (*attention_tile)(const AttentionHead& head, std::int64_t q_begin, std::int64_t tile, AttentionScratch& scratch);
};

}  // namespace pleat::cpu

namespace pleat {

// By tiles where there are some and the numbers are bfloat16, otherwise in float32.
[[nodiscard]] cpu::AttentionKernels attention_kernels(const AttentionInput& input);

// A zeroed tail behind uninitialised rows: [T, H * Dh] in the type of qkv.
[[nodiscard]] at::Tensor attention_output(const AttentionInput& input);

// Attention of one sequence on the processor, into `out`, head after head; all threads share the tiles of a head.
// Calls visit(scratch, head, tile, q_begin, rows) behind each tile, while its scores are in `scratch`. A tile is the
// same thread's for every head.
template <class Visit>
void attend_by_tiles(const AttentionInput& input, at::Tensor& out, std::int64_t sequence, const Visit& visit) {
  const cpu::AttentionKernels kernels = attention_kernels(input);
  const std::int64_t heads = input.qkv.size(2);
  const std::int64_t tokens = (*input.cu_seqlens)[sequence + 1] - (*input.cu_seqlens)[sequence];
  const std::int64_t tiles = (tokens + cpu::attention_tile_rows - 1) / cpu::attention_tile_rows;
  FirstError error;
#pragma omp parallel num_threads(at::get_num_threads())
  {
    thread_local cpu::AttentionScratch scratch;
    for (std::int64_t h = 0; h < heads; ++h) {
      cpu::AttentionHead head;
      error.guard([&] {
        head = attention_head(input, out, sequence, h);
        kernels.pack_keys_values(head, scratch);
      });
#pragma omp for schedule(static) nowait
      for (std::int64_t t = 0; t < tiles; ++t) {
        error.guard([&] {
          const std::int64_t q_begin = t * cpu::attention_tile_rows;
          const std::int64_t rows = std::min(cpu::attention_tile_rows, tokens - q_begin);
          kernels.attention_tile(head, q_begin, rows, scratch);
          visit(scratch, h, t, q_begin, rows);
        });
      }
    }
  }
  error.rethrow();
}

}  // namespace pleat
