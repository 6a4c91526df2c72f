#include "esm2/tensors.h"

namespace pleat {
namespace {

void add_linear(std::vector<TensorSpec>& specs, const std::string& name, std::int64_t out, std::int64_t in) {
  specs.push_back({name + ".weight", {out, in}});
  specs.push_back({name + ".bias", {out}});
}

void add_layer_norm(std::vector<TensorSpec>& specs, const std::string& name, std::int64_t width) {
  specs.push_back({name + ".weight", {width}});
  specs.push_back({name + ".bias", {width}});
}

void add_layer(std::vector<TensorSpec>& specs, const std::string& layer, const Esm2Config& config,
               const Esm2Parts& parts) {
  const std::int64_t D = config.hidden_size;
  const std::int64_t F = config.intermediate_size;
  for (const char* norm : {"attention.LayerNorm.", "LayerNorm."}) {
    specs.push_back({layer + norm + parts.norm_weight, {D}});
    specs.push_back({layer + norm + parts.norm_bias, {D}});
  }
  for (const char* part : {"query", "key", "value"}) add_linear(specs, layer + "attention.self." + part, D, D);
  add_linear(specs, layer + "attention.output.dense", D, D);
  add_linear(specs, layer + "intermediate.dense", F, D);
  add_linear(specs, layer + "output.dense", D, F);
}

}  // namespace

Esm2Parts esm2_parts(const std::map<std::string, TensorView>& tensors) {
  Esm2Parts parts;
  const auto starts_with = [&](const std::string& name) {
    const auto found = tensors.lower_bound(name);
    return found != tensors.end() && found->first.starts_with(name);
  };
  parts.prefix = starts_with("embeddings.") || starts_with("encoder.") ? "" : "esm.";
  if (tensors.contains(parts.prefix + "encoder.layer.0.LayerNorm.gamma")) {
    parts.norm_weight = "gamma";
    parts.norm_bias = "beta";
  }
  for (const auto& [name, view] : tensors) {
    if (name.ends_with("rotary_embeddings.inv_freq")) parts.inv_freq.push_back(name);
  }
  // A folding model has another layer of that name.
  parts.lm_head = starts_with("lm_head.dense.");
  parts.tied_decoder = !tensors.contains("lm_head.decoder.weight");
  parts.contact_head = starts_with(parts.prefix + "contact_head.");
  return parts;
}

std::vector<TensorSpec> esm2_tensor_specs(const Esm2Config& config, const Esm2Parts& parts) {
  const std::int64_t D = config.hidden_size;
  std::vector<TensorSpec> specs;
  specs.push_back({parts.prefix + "embeddings.word_embeddings.weight", {config.vocab_size, D}});
  if (config.emb_layer_norm_before) add_layer_norm(specs, parts.prefix + "embeddings.layer_norm", D);
  for (std::int64_t i = 0; i < config.num_hidden_layers; ++i) {
    add_layer(specs, parts.prefix + "encoder.layer." + std::to_string(i) + ".", config, parts);
  }
  for (const std::string& name : parts.inv_freq) specs.push_back({name, {config.head_dim() / 2}});
  add_layer_norm(specs, parts.prefix + "encoder.emb_layer_norm_after", D);
  if (parts.contact_head) {
    const std::int64_t heads = config.num_hidden_layers * config.num_attention_heads;
    add_linear(specs, parts.prefix + "contact_head.regression", 1, heads);
  }
  if (parts.lm_head) {
    add_linear(specs, "lm_head.dense", D, D);
    add_layer_norm(specs, "lm_head.layer_norm", D);
    specs.push_back({"lm_head.bias", {config.vocab_size}});
    if (!parts.tied_decoder) specs.push_back({"lm_head.decoder.weight", {config.vocab_size, D}});
  }
  return specs;
}

const std::vector<std::string>& esm2_benign_tensors() {
  static const std::vector<std::string> patterns = {
      R"((esm\.)?embeddings\.position_embeddings\.weight)",
      R"((esm\.)?embeddings\.position_ids)",
      R"((esm\.)?pooler\.dense\.(weight|bias))",
  };
  return patterns;
}

}  // namespace pleat
