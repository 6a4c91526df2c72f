#include <string>

#include "weights/read_fold_config.h"

namespace pleat {
namespace {

// Bounds that no sane model comes near, and whose products fit 64 bits.
constexpr std::int64_t max_width = 65'536;
constexpr std::int64_t max_count = 1'000;

// Replaces a default by the file's value where there is one.
void read_whole(const ConfigValues& values, const char* name, std::int64_t& target, std::int64_t low,
                std::int64_t high) {
  target = values.whole(name, low, high).value_or(target);
}

void read_number(const ConfigValues& values, const char* name, double& target, double high) {
  target = values.number(name, target);
  if (!(target > 0.0 && target <= high)) {
    refuse_config(values.origin(), values.full_name(name) + " must be above 0 and at most " +
                                       std::to_string(static_cast<std::int64_t>(high)));
  }
}

void check_multiple(const ConfigValues& values, const char* name, std::int64_t value, const char* divisor_name,
                    std::int64_t divisor) {
  if (value % divisor == 0) return;
  refuse_config(values.origin(), values.full_name(name) + " is " + std::to_string(value) + ", not a multiple of " +
                                     divisor_name + " " + std::to_string(divisor));
}

StructureModuleConfig read_structure_module(const ConfigValues& values) {
  StructureModuleConfig config;
  read_whole(values, "sequence_dim", config.sequence_dim, 1, max_width);
  read_whole(values, "pairwise_dim", config.pairwise_dim, 1, max_width);
  read_whole(values, "ipa_dim", config.ipa_dim, 1, max_width);
  read_whole(values, "resnet_dim", config.resnet_dim, 1, max_width);
  read_whole(values, "num_heads_ipa", config.num_heads_ipa, 1, max_count);
  read_whole(values, "num_qk_points", config.num_qk_points, 1, max_count);
  read_whole(values, "num_v_points", config.num_v_points, 1, max_count);
  read_whole(values, "num_blocks", config.num_blocks, 1, max_count);
  read_whole(values, "num_transition_layers", config.num_transition_layers, 0, max_count);
  read_whole(values, "num_resnet_blocks", config.num_resnet_blocks, 0, max_count);
  read_whole(values, "num_angles", config.num_angles, 0, max_count);
  if (config.num_angles != 7) {
    refuse_config(values.origin(), values.full_name("num_angles") + " is " + std::to_string(config.num_angles) +
                                       "; a residue has 7 torsion angles that place its atoms");
  }
  read_number(values, "trans_scale_factor", config.trans_scale_factor, 1e6);
  read_number(values, "epsilon", config.epsilon, 1.0);
  return config;
}

TrunkConfig read_trunk(const ConfigValues& values) {
  TrunkConfig config;
  read_whole(values, "num_blocks", config.num_blocks, 1, max_count);
  read_whole(values, "sequence_state_dim", config.sequence_state_dim, 1, max_width);
  read_whole(values, "pairwise_state_dim", config.pairwise_state_dim, 1, max_width);
  read_whole(values, "sequence_head_width", config.sequence_head_width, 1, max_width);
  read_whole(values, "pairwise_head_width", config.pairwise_head_width, 1, max_width);
  read_whole(values, "position_bins", config.position_bins, 1, max_width);
  check_multiple(values, "sequence_state_dim", config.sequence_state_dim, "sequence_head_width",
                 config.sequence_head_width);
  check_multiple(values, "pairwise_state_dim", config.pairwise_state_dim, "pairwise_head_width",
                 config.pairwise_head_width);
  if (config.pairwise_state_dim % 2 != 0) {
    refuse_config(values.origin(), values.full_name("pairwise_state_dim") + " is " +
                                       std::to_string(config.pairwise_state_dim) +
                                       ", and the outer product and difference need an even number");
  }
  config.structure_module = read_structure_module(values.inner("structure_module"));
  return config;
}

}  // namespace

std::optional<FoldConfig> read_fold_config(const ConfigValues& values) {
  if (!values.flag("is_folding_model", false)) {
    if (values.find("esmfold_config") != nullptr) {
      refuse_config(values.origin(), "esmfold_config is given, but is_folding_model is not true",
                    "set is_folding_model to true for ESMFold, or remove esmfold_config for a language model");
    }
    return std::nullopt;
  }
  const ConfigValues inner = values.inner("esmfold_config");
  if (inner.flag("use_esm_attn_map", false)) {
    refuse_config(values.origin(), inner.full_name("use_esm_attn_map") +
                                       " is true: a pair state that starts from attention maps is not supported, here "
                                       "or in the reference");
  }
  FoldConfig config;
  config.embed_aa = inner.flag("embed_aa", config.embed_aa);
  config.bypass_lm = inner.flag("bypass_lm", config.bypass_lm);
  config.esm_ablate_sequence = inner.flag("esm_ablate_sequence", config.esm_ablate_sequence);
  read_whole(inner, "lddt_head_hid_dim", config.lddt_head_hid_dim, 1, max_width);
  config.trunk = read_trunk(inner.inner("trunk"));
  return config;
}

}  // namespace pleat
