// From a checkpoint's tensors to the model's weights.

#include <ATen/ATen.h>

#include "pleat/core/error.h"
#include "pleat/esm2/model.h"
#include "pleat/esm2/tensors.h"
#include "pleat/tensor/host.h"

namespace pleat {
namespace {

// Copies tensors out of the mapped file one at a time and gives their pages back, so that loading needs little more
// memory than the weights it keeps.
class Loader {
 public:
  Loader(const Checkpoint& checkpoint, at::ScalarType precision) : checkpoint_(checkpoint), precision_(precision) {}

  [[nodiscard]] at::Tensor tensor(const std::string& name, at::ScalarType type) const {
    const TensorView& view = checkpoint_.tensors().at(name);
    at::Tensor loaded = tensor_from(view, type);
    checkpoint_.drop_pages(view);
    if (!at::isfinite(loaded.sum(at::kFloat)).item<bool>() && !loaded.isfinite().all().item<bool>()) {
      throw Error(ErrorCode::bad_input, "the tensor '" + name + "' holds NaN or infinity",
                  "the weights are damaged; fetch them again and check them with: pleat model verify");
    }
    return loaded;
  }

  [[nodiscard]] LayerNorm layer_norm(const std::string& name, const std::string& weight = "weight",
                                     const std::string& bias = "bias") const {
    return {tensor(name + "." + weight, at::kFloat), tensor(name + "." + bias, at::kFloat)};
  }

  [[nodiscard]] Linear linear(const std::string& name, Activation activation = Activation::none) const {
    return {tensor(name + ".weight", precision_), tensor(name + ".bias", precision_), activation};
  }

  [[nodiscard]] Linear joined(const std::vector<std::string>& names) const {
    std::vector<at::Tensor> weights;
    std::vector<at::Tensor> biases;
    for (const std::string& name : names) {
      weights.push_back(tensor(name + ".weight", precision_));
      biases.push_back(tensor(name + ".bias", precision_));
    }
    return {at::cat(weights), at::cat(biases)};
  }

 private:
  const Checkpoint& checkpoint_;
  at::ScalarType precision_;
};

Esm2Layer load_layer(const Loader& load, const std::string& name, const Esm2Parts& parts) {
  const std::string self = name + "attention.self.";
  Esm2Layer layer;
  layer.attention_norm = load.layer_norm(name + "attention.LayerNorm", parts.norm_weight, parts.norm_bias);
  layer.qkv = load.joined({self + "query", self + "key", self + "value"});
  layer.attention_out = load.linear(name + "attention.output.dense");
  layer.feed_forward_norm = load.layer_norm(name + "LayerNorm", parts.norm_weight, parts.norm_bias);
  layer.feed_forward_in = load.linear(name + "intermediate.dense", Activation::gelu);
  layer.feed_forward_out = load.linear(name + "output.dense");
  return layer;
}

// The frequencies stored in the checkpoint, or those of RoFormer where it has none.
at::Tensor load_frequencies(const Loader& load, const Esm2Config& config, const Esm2Parts& parts) {
  if (parts.inv_freq.empty()) return RotaryTable::frequencies(config.head_dim());
  const at::Tensor first = load.tensor(parts.inv_freq.front(), at::kFloat);  // [Dh / 2]
  for (const std::string& name : parts.inv_freq) {
    if (at::equal(load.tensor(name, at::kFloat), first)) continue;
    throw Error(ErrorCode::bad_input, "'" + name + "' differs from '" + parts.inv_freq.front() + "'",
                "rotary frequencies that differ between layers are not supported");
  }
  return first;
}

}  // namespace

Esm2::Esm2(const Checkpoint& checkpoint, Esm2Config config, at::ScalarType precision)
    : config_(std::move(config)), precision_(precision) {
  const Esm2Parts parts = esm2_parts(checkpoint.tensors());
  check_tensors(checkpoint.tensors(), esm2_tensor_specs(config_, parts), esm2_benign_tensors());

  const Loader load(checkpoint, precision_);
  const std::string& prefix = parts.prefix;
  word_embeddings_ = load.tensor(prefix + "embeddings.word_embeddings.weight", at::kFloat);
  if (config_.emb_layer_norm_before) embedding_norm_ = load.layer_norm(prefix + "embeddings.layer_norm");
  for (std::int64_t i = 0; i < config_.num_hidden_layers; ++i) {
    layers_.push_back(load_layer(load, prefix + "encoder.layer." + std::to_string(i) + ".", parts));
  }
  rotary_frequencies_ = load_frequencies(load, config_, parts);
  last_norm_ = load.layer_norm(prefix + "encoder.emb_layer_norm_after");
  if (parts.contact_head) {
    contact_head_ = ContactHead{load.tensor(prefix + "contact_head.regression.weight", at::kFloat).flatten(),
                                load.tensor(prefix + "contact_head.regression.bias", at::kFloat)};
  }
  if (parts.lm_head) {
    const at::Tensor decoder =
        parts.tied_decoder ? word_embeddings_.to(precision_) : load.tensor("lm_head.decoder.weight", precision_);
    lm_head_ = MaskedLmHead{load.linear("lm_head.dense", Activation::gelu), load.layer_norm("lm_head.layer_norm"),
                            Linear(decoder, load.tensor("lm_head.bias", precision_))};
  }
}

}  // namespace pleat
