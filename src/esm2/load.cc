// From a checkpoint's tensors to the model's weights.

#include <ATen/ATen.h>

#include "core/error.h"
#include "esm2/loader.h"
#include "esm2/model.h"
#include "esm2/tensors.h"

namespace pleat {
namespace {

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

Esm2::Esm2(const Checkpoint& checkpoint, Esm2Config config, at::ScalarType precision,
           const std::vector<TensorSpec>& others, const std::vector<std::string>& others_benign, at::Device device)
    : config_(std::move(config)), precision_(precision) {
  const Esm2Parts parts = esm2_parts(checkpoint.tensors());
  std::vector<TensorSpec> specs = esm2_tensor_specs(config_, parts);
  specs.insert(specs.end(), others.begin(), others.end());
  std::vector<std::string> benign = esm2_benign_tensors();
  benign.insert(benign.end(), others_benign.begin(), others_benign.end());
  check_tensors(checkpoint.tensors(), specs, benign);

  const Loader load(checkpoint, precision_, device);
  const std::string& prefix = parts.prefix;
  word_embeddings_ = load.tensor(prefix + "embeddings.word_embeddings.weight", at::kFloat);
  if (config_.emb_layer_norm_before) embedding_norm_ = load.layer_norm(prefix + "embeddings.layer_norm");
  for (std::int64_t i = 0; i < config_.num_hidden_layers; ++i) {
    layers_.push_back(load_layer(load, prefix + "encoder.layer." + std::to_string(i) + ".", parts));
  }
  rotary_frequencies_ = load_frequencies(Loader(checkpoint, at::kFloat), config_, parts);
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
  load.check();
}

}  // namespace pleat
