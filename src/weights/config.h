// config.json of an ESM-2 or ESMFold checkpoint: the numbers that fix every tensor's shape.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weights/fold_config.h"

namespace pleat {

struct Esm2Config {
  std::int64_t vocab_size = 33;
  std::int64_t hidden_size = 0;  // D
  std::int64_t num_hidden_layers = 0;
  std::int64_t num_attention_heads = 0;  // H; head_dim = D / H
  std::int64_t intermediate_size = 0;    // F
  std::int64_t pad_token_id = 1;
  std::int64_t mask_token_id = 32;
  double layer_norm_eps = 1e-5;
  bool token_dropout = true;
  bool emb_layer_norm_before = false;
  std::vector<std::string> vocab;  // token strings in id order; the published ESM-2 alphabet where no file gives one
  bool untrained = false;          // "pleat_untrained": true, written by the script that makes the demo weights

  [[nodiscard]] std::int64_t head_dim() const { return hidden_size / num_attention_heads; }
};

struct ModelConfig {
  Esm2Config language_model;
  std::optional<FoldConfig> fold;  // of a folding model only

  // Of a model that is known to fold; Error(internal) of another.
  [[nodiscard]] const FoldConfig& folding() const;
};

// Reads config.json, as transformers 4 or 5 writes it, of a language model or of ESMFold.
//
// The vocabulary is that of vocab.txt, or config.json's vocab_list, or the published one; it must have vocab_size
// tokens. Beside a folding model vocab.txt counts for nothing: there it lists residues in AlphaFold's order, and the
// language model's vocabulary is vocab_list.
// Throws Error(missing_input) when there is no config.json and Error(bad_input) when it is not an ESM-2 with rotary
// positions, asks for arithmetic that ESM-2 or ESMFold does not have, or its numbers contradict each other.
[[nodiscard]] ModelConfig load_model_config(const std::filesystem::path& folder);
// The same from text, without vocab.txt; `origin`, the file's name, begins every message.
[[nodiscard]] ModelConfig parse_model_config(std::string_view json, const std::string& origin);

}  // namespace pleat
