// The operations that CUDA has its own way for; see DeviceOps.
#pragma once

#include "ops/device_ops.h"

namespace pleat::cuda {

[[nodiscard]] at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                Activation activation, Rows rows);
[[nodiscard]] at::Tensor attention(const AttentionInput& input);
[[nodiscard]] at::Tensor add_layer_norm(at::Tensor& residual, const at::Tensor& update, const LayerNorm& norm,
                                        double eps, at::ScalarType type);
[[nodiscard]] Rigid compose_rigid(const Rigid& frames, const at::Tensor& update);
[[nodiscard]] at::Tensor invariant_point_attention(const InvariantPointInput& input);
[[nodiscard]] at::Tensor biased_attention(const at::Tensor& qkv, const at::Tensor& bias, const at::Tensor& gate);
[[nodiscard]] std::optional<CollectedRows> collect_rows(const at::Tensor& hidden, const KeptRows& kept,
                                                        const WantedRows& wanted);
[[nodiscard]] std::function<at::Tensor(const at::Tensor& z)> make_pair_bias(const LayerNorm& norm,
                                                                            const at::Tensor& weight);
[[nodiscard]] PairUpdate make_pair_transition(const PairTransitionWeights& weights);
[[nodiscard]] std::function<void(at::Tensor& z, const at::Tensor& qk)> make_sequence_to_pair(
    const SequenceToPairWeights& weights);
[[nodiscard]] PairUpdate make_triangle_multiplication(const TriangleMultiplicationWeights& weights, Triangle triangle);
[[nodiscard]] PairUpdate make_triangle_attention(const TriangleAttentionWeights& weights, Node node);

}  // namespace pleat::cuda
