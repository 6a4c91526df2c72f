// The part of config.json that describes ESMFold's folding trunk ("esmfold_config").
#pragma once

#include <cstdint>

namespace pleat {

// Defaults are the reference's and those of the published esmfold_v1.
struct StructureModuleConfig {
  std::int64_t sequence_dim = 384;
  std::int64_t pairwise_dim = 128;
  std::int64_t ipa_dim = 16;  // of a head's scalar queries, keys and values
  std::int64_t resnet_dim = 128;
  std::int64_t num_heads_ipa = 12;
  std::int64_t num_qk_points = 4;
  std::int64_t num_v_points = 8;
  std::int64_t num_blocks = 8;  // of shared weights
  std::int64_t num_transition_layers = 1;
  std::int64_t num_resnet_blocks = 2;
  std::int64_t num_angles = 7;     // always: three of the backbone, four of the side chain
  double trans_scale_factor = 10;  // ångström in one unit of the module's coordinates
  double epsilon = 1e-8;
};

struct TrunkConfig {
  std::int64_t num_blocks = 48;
  std::int64_t sequence_state_dim = 1024;
  std::int64_t pairwise_state_dim = 128;
  std::int64_t sequence_head_width = 32;
  std::int64_t pairwise_head_width = 32;
  std::int64_t position_bins = 32;
  StructureModuleConfig structure_module;

  [[nodiscard]] std::int64_t sequence_heads() const { return sequence_state_dim / sequence_head_width; }
  [[nodiscard]] std::int64_t pairwise_heads() const { return pairwise_state_dim / pairwise_head_width; }
};

struct FoldConfig {
  bool embed_aa = true;              // add an embedding of the residue to the language model's states
  bool bypass_lm = false;            // zeros in place of the language model's states
  bool esm_ablate_sequence = false;  // likewise
  std::int64_t lddt_head_hid_dim = 128;
  TrunkConfig trunk;
};

}  // namespace pleat
