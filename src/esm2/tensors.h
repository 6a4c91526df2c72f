// The tensors of an ESM-2 checkpoint by name, as Hugging Face transformers writes them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "weights/checkpoint.h"
#include "weights/config.h"

namespace pleat {

// How a checkpoint is written, and which of the optional parts it holds. Generations of transformers differ: see
// tests/data/esm2.
struct Esm2Parts {
  std::string prefix = "esm.";         // "esm." in a masked-LM checkpoint, nothing in one of the bare encoder
  std::string norm_weight = "weight";  // of the layers' LayerNorm; "gamma" and "beta" as 5.x writes them by default
  std::string norm_bias = "bias";
  // Rotary frequencies: one tensor in all, one per layer, or none. Where there are some they count, since published
  // checkpoints hold rounded ones and were trained with them.
  std::vector<std::string> inv_freq;
  bool lm_head = false;
  bool tied_decoder = true;  // no lm_head.decoder.weight: the word embeddings serve
  bool contact_head = false;
};

[[nodiscard]] Esm2Parts esm2_parts(const std::map<std::string, TensorView>& tensors);

// Every tensor a checkpoint with these parts must hold, with its shape.
[[nodiscard]] std::vector<TensorSpec> esm2_tensor_specs(const Esm2Config& config, const Esm2Parts& parts);

// Leftovers that carry no information, as regular expressions: position tables of the non-rotary variants and the
// unused pooler.
[[nodiscard]] const std::vector<std::string>& esm2_benign_tensors();

}  // namespace pleat
