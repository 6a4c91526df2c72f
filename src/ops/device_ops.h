// Operations as a device other than the processor does them by itself. What is missing here, or is refused for a shape,
// runs there through ATen's general operations (ops/general.h).
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>

#include "ops/attention/attention.h"
#include "ops/collect/collect.h"
#include "ops/layer_norm/layer_norm.h"
#include "ops/linear/linear.h"
#include "ops/pair_transition/pair_transition.h"
#include "ops/point_attention/point_attention.h"
#include "ops/rigid/rigid.h"
#include "ops/sequence_to_pair/sequence_to_pair.h"
#include "ops/triangle_attention/triangle_attention.h"
#include "ops/triangle_multiplication/triangle_multiplication.h"

namespace pleat {

// z [L, L, C] float32, contiguous, changed in place.
using PairUpdate = std::function<void(at::Tensor& z)>;

struct DeviceOps {
  // activation(x W^T + b): x [T, K], contiguous, weight [N, K], bias [N] or undefined, all of one type -> [T, N].
  at::Tensor (*linear)(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, Activation activation,
                       Rows rows) = nullptr;
  // sum += x W^T + b, where sum is float32 [T, N]. Null: by `linear`.
  void (*add_linear)(at::Tensor& sum, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                     Rows rows) = nullptr;
  // As pleat::attention, for an input with `places`. A sequence's bits must not depend on the others. May change qkv.
  at::Tensor (*attention)(const AttentionInput& input) = nullptr;
  // As pleat::add_layer_norm. Null, or an undefined result: by ATen.
  at::Tensor (*add_layer_norm)(at::Tensor& residual, const at::Tensor& update, const LayerNorm& norm, double eps,
                               at::ScalarType type) = nullptr;
  // As Rigid::composed_with. Null, or undefined tensors: by ATen.
  Rigid (*compose_rigid)(const Rigid& frames, const at::Tensor& update) = nullptr;
  // As pleat::invariant_point_attention. Null, or an undefined result: by ATen.
  at::Tensor (*invariant_point_attention)(const InvariantPointInput& input) = nullptr;
  // As pleat::collect_rows. Null, or an empty result: by ATen.
  std::optional<CollectedRows> (*collect_rows)(const at::Tensor& hidden, const KeptRows& kept,
                                               const WantedRows& wanted) = nullptr;

  // With bfloat16 operands and sums in float32. Each takes the weights once, lays them out for its kernels, and gives
  // the operation, or nothing where it has no kernel for their shape or for the device that they are on.
  PairUpdate (*triangle_attention)(const TriangleAttentionWeights& weights, Node node) = nullptr;
  PairUpdate (*triangle_multiplication)(const TriangleMultiplicationWeights& weights, Triangle triangle) = nullptr;
  PairUpdate (*pair_transition)(const PairTransitionWeights& weights) = nullptr;
  // (z, qk [L, 2 K] float32)
  std::function<void(at::Tensor& z, const at::Tensor& qk)> (*sequence_to_pair)(const SequenceToPairWeights& weights) =
      nullptr;
  // z -> [heads, L, L] float32; rows may be further apart than L.
  std::function<at::Tensor(const at::Tensor& z)> (*pair_bias)(const LayerNorm& norm,
                                                              const at::Tensor& weight) = nullptr;
  // As pleat::biased_attention for qkv in bfloat16. Null, or an undefined result: by ATen.
  at::Tensor (*biased_attention)(const at::Tensor& qkv, const at::Tensor& bias, const at::Tensor& gate) = nullptr;
};

// What a kind of device does by itself. To be set before the first tensor of that kind is made; without it, everything
// goes through ATen.
void set_device_ops(at::DeviceType type, const DeviceOps& ops);
// Of the device that x is on; on the processor, of none.
[[nodiscard]] const DeviceOps& device_ops(const at::Tensor& x);

}  // namespace pleat
