// Invariant point attention between its projections (Jumper et al. 2021, supplement, algorithm 22): attention by scalar
// queries and keys, by points in space, and by a bias, over values, points and the pair representation. P positions.
#pragma once

#include <ATen/core/Tensor.h>

namespace pleat {

// All float32, of any strides unless stated. Points are in the global frame, coordinates before heads as the
// projections give them.
struct PointAttentionInput {
  at::Tensor q;             // [P, H, c]
  at::Tensor k;             // [P, H, c]
  at::Tensor v;             // [P, H, c]
  at::Tensor q_points;      // [P, 3, H, Nq]
  at::Tensor k_points;      // [P, 3, H, Nq]
  at::Tensor v_points;      // [P, 3, H, Nv]
  at::Tensor pair;          // [P, P, C] contiguous
  at::Tensor bias;          // [H, P, P] contiguous, added to the scores as it is
  at::Tensor point_weight;  // [H]: what each unit of squared distance takes off a score
  double scale = 1;         // of q k
};

// Sums over positions j of the attention a[i, h, j] = softmax_j(scale q_i k_j + bias - weight sum |q_point -
// k_point|^2) times values, points and rows of the pair representation.
struct PointAttentionOutput {
  at::Tensor values;  // [P, H, c]
  at::Tensor points;  // [P, 3, H, Nv]
  at::Tensor pairs;   // [P, H, C]
};

// Works in blocks of rows i: no tensor larger than [block, H, P] is made.
[[nodiscard]] PointAttentionOutput point_attention(const PointAttentionInput& input);
[[nodiscard]] PointAttentionOutput point_attention_reference(const PointAttentionInput& input);

}  // namespace pleat
