// From the packed tensor to the kernels' view of one head: shared by attention and contacts.
#pragma once

#include "ops/attention/attention.h"
#include "ops/cpu/kernels.h"

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

}  // namespace pleat
