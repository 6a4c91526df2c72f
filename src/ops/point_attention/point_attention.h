// Invariant point attention between its projections (Jumper et al. 2021, supplement, algorithm 22): attention by scalar
// queries and keys, by points in space, and by a bias, over values, points and the pair representation. P positions.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "ops/rigid/rigid.h"

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

// H heads of width c, with Nq points of queries and keys and Nv of values.
struct PointHeads {
  std::int64_t heads;
  std::int64_t width;
  std::int64_t query_points;
  std::int64_t value_points;
};

// All float32 and contiguous.
struct InvariantPointInput {
  PointHeads shape;
  // [P, 3 H c + 3 H (2 Nq + Nv)], side by side: queries [H, c]; keys and values [H, 2 c], a head's key before its
  // value; and, each in its own position's frame, points of queries [3, H, Nq] and of keys and values [3, H, Nq + Nv].
  at::Tensor projected;
  const Rigid& frames;
  at::Tensor pair;          // [P, P, C]
  at::Tensor bias;          // [H, P, P]
  at::Tensor point_weight;  // [H], as in PointAttentionInput
  double epsilon = 0;       // added to a squared length before its root
};

// What the output projection takes, [P, H (c + 4 Nv + C)], side by side: values [H, c], points in the position's own
// frame [3, H, Nv], their lengths [H, Nv], and rows of the pair representation [H, C].
[[nodiscard]] at::Tensor invariant_point_attention(const InvariantPointInput& input);

}  // namespace pleat
