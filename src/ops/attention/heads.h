// From the packed tensor to the kernels' view of one head: shared by attention and contacts.
#pragma once

#include "ops/attention/attention.h"
#include "ops/cpu/kernels.h"

namespace pleat {

// Head `head` of sequence `sequence`; `out` [T, H * Dh].
[[nodiscard]] cpu::AttentionHead attention_head(const AttentionInput& input, at::Tensor& out, std::int64_t sequence,
                                                std::int64_t head);

// A zeroed tail behind uninitialised rows: [T, H * Dh] in the type of qkv.
[[nodiscard]] at::Tensor attention_output(const AttentionInput& input);

}  // namespace pleat
