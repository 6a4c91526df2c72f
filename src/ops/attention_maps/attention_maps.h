// Attention that keeps its maps: for who asks for those of a layer.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "ops/attention/attention.h"

namespace pleat {

struct MappedAttention {
  // [T, H * Dh], as attention() gives it, bit for bit; undefined where the maps were computed by themselves.
  at::Tensor context;
  // Of each sequence softmax(rot(q / sqrt(Dh)) rot(k)^T), its L tokens without the begin and the end token: [H, L, L]
  // float32, a row for each query. Rows add up to less than 1 by what goes to the two.
  std::vector<at::Tensor> maps;
};

// On the processor by its kernels for attention; elsewhere the maps alone, by ATen's general operations, for which the
// input must have `places`.
[[nodiscard]] MappedAttention attention_with_maps(const AttentionInput& input);

[[nodiscard]] MappedAttention attention_with_maps_reference(const AttentionInput& input);

}  // namespace pleat
