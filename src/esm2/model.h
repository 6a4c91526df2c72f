// The protein language model ESM-2 (Lin et al. 2023, "Evolutionary-scale prediction of atomic-level protein structure
// with a language model"): a pre-norm transformer encoder with rotary positions.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "esm2/loader.h"
#include "ops/attention/attention.h"
#include "ops/contacts/contacts.h"
#include "ops/linear/linear.h"
#include "tensor/packed_batch.h"
#include "weights/checkpoint.h"
#include "weights/config.h"

namespace pleat {

struct Esm2Layer {
  LayerNorm attention_norm;
  Linear qkv;  // D -> 3D: query, key and value in one product
  Linear attention_out;
  LayerNorm feed_forward_norm;
  Linear feed_forward_in;  // D -> F, with GELU
  Linear feed_forward_out;
};

struct MaskedLmHead {
  Linear dense;  // D -> D, with GELU
  LayerNorm norm;
  Linear decoder;  // D -> vocabulary
};

struct ContactHead {
  at::Tensor weight;  // [layers * H] float32
  at::Tensor bias;    // [1] float32
};

// What to keep of a forward pass.
struct Esm2Request {
  std::vector<std::int64_t> layers;  // 0 = the embeddings, num_hidden_layers = after the last norm; sorted
  bool logits = false;
  bool contacts = false;
  std::vector<std::int64_t> attentions = {};  // of which layers, from 1 to num_hidden_layers; sorted
  at::Tensor mix = {};  // [num_hidden_layers + 1] float32, a share for each hidden state; undefined = no mixture
};

// Rows are tokens of the batch, begin and end tokens and linkers included.
struct Esm2Output {
  std::vector<at::Tensor> hidden;    // per layer asked for: [T, D] float32
  at::Tensor mixed;                  // [T, D] float32: all hidden states by their shares in Esm2Request::mix
  at::Tensor logits;                 // [T, vocabulary] float32
  std::vector<at::Tensor> contacts;  // per sequence: [tokens - 2, tokens - 2] float32
  // Per layer asked for, per sequence: [H, tokens - 2, tokens - 2] float32, see MappedAttention.
  std::vector<std::vector<at::Tensor>> attentions = {};
};

class Esm2 {
 public:
  // Binds every tensor by name with its exact shape, checks that all numbers are finite, and lays the weights out for
  // `precision` on `device`: at::kFloat or at::kBFloat16, elsewhere than on the processor also at::kHalf; the residual
  // stream and all reductions stay in float32.
  // Throws Error(bad_input) that lists everything wrong with the checkpoint. `others` is what a larger model keeps in
  // the same checkpoint, `others_benign` are patterns of its leftovers; they are checked together with this model's.
  Esm2(const Checkpoint& checkpoint, Esm2Config config, at::ScalarType precision,
       const std::vector<TensorSpec>& others = {}, const std::vector<std::string>& others_benign = {},
       at::Device device = at::kCPU);

  // The output is where the weights are. Throws Stopped, see StopScope.
  [[nodiscard]] Esm2Output forward(const PackedBatch& batch, const Esm2Request& request) const;

  // The logits of PackedBatch::masked, of which there is at least one, and nothing else: [masked, vocabulary] float32.
  // Bit for bit those of a forward pass that keeps all logits. Throws Stopped likewise.
  [[nodiscard]] at::Tensor masked_logits(const PackedBatch& batch) const;

  [[nodiscard]] const Esm2Config& config() const { return config_; }
  // Floating-point operations of the linear layers for one token.
  [[nodiscard]] std::int64_t linear_flops_per_token() const;

 private:
  [[nodiscard]] at::Tensor embed(const PackedBatch& batch) const;
  void drop_masked(const PackedBatch& batch, at::Tensor& hidden) const;
  [[nodiscard]] at::Tensor project_qkv(const Esm2Layer& layer, at::Tensor& hidden) const;
  void finish_layer(const Esm2Layer& layer, const at::Tensor& context, at::Tensor& hidden) const;
  // [T, D]; the accumulator may be null.
  [[nodiscard]] at::Tensor attend(const AttentionInput& input, bool keep_maps, ContactAccumulator* contacts,
                                  Esm2Output& output) const;
  [[nodiscard]] at::Tensor normed_last(at::Tensor& hidden) const;
  [[nodiscard]] at::Tensor predict_logits(const at::Tensor& last_hidden) const;
  struct Positions;
  [[nodiscard]] Positions positions_of(const PackedBatch& batch) const;
  [[nodiscard]] at::Tensor norm(const LayerNorm& parameters, at::Tensor& hidden, const at::Tensor& update) const;

  Esm2Config config_;
  at::ScalarType precision_;
  at::Tensor word_embeddings_;  // [vocabulary, D] float32
  std::optional<LayerNorm> embedding_norm_;
  std::vector<Esm2Layer> layers_;
  at::Tensor rotary_frequencies_;  // [Dh / 2] float32, on the processor
  LayerNorm last_norm_;
  std::optional<MaskedLmHead> lm_head_;
  std::optional<ContactHead> contact_head_;
};

}  // namespace pleat
