#include "esmfold/tensors.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "core/error.h"

namespace pleat {
namespace {

// Sizes that no configuration changes.
constexpr std::int64_t recycle_bins = 15;
constexpr std::int64_t distogram_bins = 64;  // of predicted aligned errors too
constexpr std::int64_t lddt_bins = 50;
constexpr std::int64_t atom37 = 37;
// The trunk's own residues: padding, AlphaFold's 20 and X, and a mask.
constexpr std::int64_t residue_kinds = 23;
constexpr std::string_view residue_order = "ARNDCQEGHILKMFPSTWYVX";

// Adds tensors below a name.
class Specs {
 public:
  Specs(std::vector<TensorSpec>& specs, std::string prefix) : specs_(specs), prefix_(std::move(prefix)) {}

  void tensor(const std::string& name, std::vector<std::int64_t> shape, NumberKind kind = NumberKind::floating) const {
    specs_.push_back({prefix_ + name, std::move(shape), kind});
  }
  void linear(const std::string& name, std::int64_t in, std::int64_t out) const {
    plain_linear(name, in, out);
    tensor(name + ".bias", {out});
  }
  void plain_linear(const std::string& name, std::int64_t in, std::int64_t out) const {
    tensor(name + ".weight", {out, in});
  }
  void layer_norm(const std::string& name, std::int64_t width) const {
    tensor(name + ".weight", {width});
    tensor(name + ".bias", {width});
  }
  [[nodiscard]] Specs below(const std::string& name) const { return {specs_, prefix_ + name + "."}; }
  [[nodiscard]] Specs below(const std::string& name, std::int64_t index) const {
    return below(name + "." + std::to_string(index));
  }

 private:
  std::vector<TensorSpec>& specs_;
  std::string prefix_;
};

// Norm, linear layer to four times the width, ReLU, linear layer back: the places 0 to 3 of a list.
void add_transition(const Specs& specs, std::int64_t width) {
  specs.layer_norm("mlp.0", width);
  specs.linear("mlp.1", width, 4 * width);
  specs.linear("mlp.3", 4 * width, width);
}

void add_triangular_multiplication(const Specs& specs, std::int64_t c_z) {
  specs.layer_norm("layer_norm_in", c_z);
  specs.layer_norm("layer_norm_out", c_z);
  for (const char* const part : {"linear_a_p", "linear_a_g", "linear_b_p", "linear_b_g", "linear_g", "linear_z"}) {
    specs.linear(part, c_z, c_z);
  }
}

void add_triangular_attention(const Specs& specs, std::int64_t c_z, std::int64_t heads) {
  specs.layer_norm("layer_norm", c_z);
  specs.plain_linear("linear", c_z, heads);
  for (const char* const part : {"mha.linear_q", "mha.linear_k", "mha.linear_v"}) specs.plain_linear(part, c_z, c_z);
  specs.linear("mha.linear_g", c_z, c_z);
  specs.linear("mha.linear_o", c_z, c_z);
}

void add_block(const Specs& specs, const TrunkConfig& config) {
  const std::int64_t c_s = config.sequence_state_dim;
  const std::int64_t c_z = config.pairwise_state_dim;
  specs.layer_norm("layernorm_1", c_s);
  specs.layer_norm("sequence_to_pair.layernorm", c_s);
  specs.linear("sequence_to_pair.proj", c_s, c_z);
  specs.linear("sequence_to_pair.o_proj", c_z, c_z);
  specs.layer_norm("pair_to_sequence.layernorm", c_z);
  specs.plain_linear("pair_to_sequence.linear", c_z, config.sequence_heads());
  specs.plain_linear("seq_attention.proj", c_s, 3 * c_s);
  specs.linear("seq_attention.o_proj", c_s, c_s);
  specs.linear("seq_attention.g_proj", c_s, c_s);
  for (const char* const part : {"tri_mul_out", "tri_mul_in"}) add_triangular_multiplication(specs.below(part), c_z);
  for (const char* const part : {"tri_att_start", "tri_att_end"}) {
    add_triangular_attention(specs.below(part), c_z, config.pairwise_heads());
  }
  add_transition(specs.below("mlp_seq"), c_s);
  add_transition(specs.below("mlp_pair"), c_z);
}

// Invariant point attention.
void add_ipa(const Specs& specs, const StructureModuleConfig& config) {
  const std::int64_t c_s = config.sequence_dim;
  const std::int64_t c_z = config.pairwise_dim;
  const std::int64_t heads = config.num_heads_ipa;
  specs.tensor("head_weights", {heads});
  specs.linear("linear_q", c_s, heads * config.ipa_dim);
  specs.linear("linear_kv", c_s, 2 * heads * config.ipa_dim);
  specs.linear("linear_q_points", c_s, 3 * heads * config.num_qk_points);
  specs.linear("linear_kv_points", c_s, 3 * heads * (config.num_qk_points + config.num_v_points));
  specs.linear("linear_b", c_z, heads);
  // Of each head: what it read from the pair state, from the values, and its points with their distances.
  specs.linear("linear_out", heads * (c_z + config.ipa_dim + 4 * config.num_v_points), c_s);
}

void add_structure_module(const Specs& specs, const StructureModuleConfig& config) {
  const std::int64_t c_s = config.sequence_dim;
  specs.layer_norm("layer_norm_s", c_s);
  specs.layer_norm("layer_norm_z", config.pairwise_dim);
  specs.linear("linear_in", c_s, c_s);
  add_ipa(specs.below("ipa"), config);
  specs.layer_norm("layer_norm_ipa", c_s);
  for (std::int64_t i = 0; i < config.num_transition_layers; ++i) {
    const Specs layer = specs.below("transition.layers", i);
    for (const char* const part : {"linear_1", "linear_2", "linear_3"}) layer.linear(part, c_s, c_s);
  }
  specs.layer_norm("transition.layer_norm", c_s);
  specs.linear("bb_update.linear", c_s, 6);  // a rotation and a translation

  const Specs angles = specs.below("angle_resnet");
  const std::int64_t hidden = config.resnet_dim;
  angles.linear("linear_in", c_s, hidden);
  angles.linear("linear_initial", c_s, hidden);
  for (std::int64_t i = 0; i < config.num_resnet_blocks; ++i) {
    angles.below("layers", i).linear("linear_1", hidden, hidden);
    angles.below("layers", i).linear("linear_2", hidden, hidden);
  }
  angles.linear("linear_out", hidden, 2 * config.num_angles);  // sine and cosine
}

void add_trunk(const Specs& specs, const TrunkConfig& config) {
  const std::int64_t c_s = config.sequence_state_dim;
  const std::int64_t c_z = config.pairwise_state_dim;
  // Distances from -position_bins to position_bins, and one row for padding.
  specs.tensor("pairwise_positional_embedding.embedding.weight", {2 * config.position_bins + 2, c_z});
  for (std::int64_t i = 0; i < config.num_blocks; ++i) add_block(specs.below("blocks", i), config);
  specs.layer_norm("recycle_s_norm", c_s);
  specs.layer_norm("recycle_z_norm", c_z);
  specs.tensor("recycle_disto.weight", {recycle_bins, c_z});
  add_structure_module(specs.below("structure_module"), config.structure_module);
  specs.linear("trunk2sm_s", c_s, config.structure_module.sequence_dim);
  specs.linear("trunk2sm_z", c_z, config.structure_module.pairwise_dim);
}

}  // namespace

std::vector<TensorSpec> esmfold_tensor_specs(const Esm2Config& language_model, const FoldConfig& config) {
  const std::int64_t c_s = config.trunk.sequence_state_dim;
  const std::int64_t c_z = config.trunk.pairwise_state_dim;
  std::vector<TensorSpec> all;
  const Specs specs(all, "");
  specs.tensor("af2_to_esm", {std::ssize(residue_order) + 1}, NumberKind::integer);
  specs.tensor("esm_s_combine", {language_model.num_hidden_layers + 1});
  specs.layer_norm("esm_s_mlp.0", language_model.hidden_size);
  specs.linear("esm_s_mlp.1", language_model.hidden_size, c_s);
  specs.linear("esm_s_mlp.3", c_s, c_s);
  if (config.embed_aa) specs.tensor("embedding.weight", {residue_kinds, c_s});
  add_trunk(specs.below("trunk"), config.trunk);
  specs.linear("distogram_head", c_z, distogram_bins);
  specs.linear("ptm_head", c_z, distogram_bins);
  specs.linear("lm_head", c_s, residue_kinds);
  const std::int64_t hidden = config.lddt_head_hid_dim;
  specs.layer_norm("lddt_head.0", config.trunk.structure_module.sequence_dim);
  specs.linear("lddt_head.1", config.trunk.structure_module.sequence_dim, hidden);
  specs.linear("lddt_head.2", hidden, hidden);
  specs.linear("lddt_head.3", hidden, atom37 * lddt_bins);
  return all;
}

const std::vector<std::string>& esmfold_benign_tensors() {
  static const std::vector<std::string> patterns = {
      R"(trunk\.structure_module\.(default_frames|group_idx|atom_mask|lit_positions))",
  };
  return patterns;
}

void check_af2_to_esm(const std::map<std::string, TensorView>& tensors, const Esm2Config& language_model) {
  const auto found = tensors.find("af2_to_esm");
  if (found == tensors.end()) return;
  std::vector<std::string> tokens{"<pad>"};
  for (const char residue : residue_order) tokens.emplace_back(1, residue);
  std::vector<std::int64_t> stored(tokens.size());  // [22]
  std::memcpy(stored.data(), found->second.data.data(), stored.size() * sizeof(std::int64_t));
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const std::int64_t expected = std::ranges::find(language_model.vocab, tokens[i]) - language_model.vocab.begin();
    if (stored[i] == expected) continue;
    throw Error(ErrorCode::bad_input,
                "the weights take token " + std::to_string(stored[i]) + " for '" + tokens[i] +
                    "' (tensor 'af2_to_esm'), but it is token " + std::to_string(expected) +
                    " of the vocabulary in config.json",
                "check that config.json and the weights belong together");
  }
}

}  // namespace pleat
