// AlphaFold's structure module (Jumper et al. 2021, supplement, algorithm 20): from the trunk's states to atoms, by
// blocks of shared weights that move one frame per residue. P positions, all arithmetic in float32.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "esm2/loader.h"
#include "esmfold/geometry.h"
#include "esmfold/model.h"
#include "ops/linear/linear.h"
#include "weights/fold_config.h"

namespace pleat {

// What the blocks leave behind: all that recycling, the atoms and the confidence heads need.
struct BackboneState {
  at::Tensor single;   // [P, c] after the last block
  at::Tensor initial;  // [P, c] the normalised input, which the torsion angles look at again
  Rigid frames;        // in the module's own units, trans_scale_factor ångström each
};

// Of the last block; those of blocks before it only serve training.
struct Atoms {
  at::Tensor angles;               // [P, 7, 2] sine and cosine of omega, phi, psi, chi 1 to 4
  at::Tensor unnormalized_angles;  // [P, 7, 2]
  at::Tensor sidechain_frames;     // [P, 8, 4, 4] ångström
  at::Tensor positions;            // [P, 14, 3] ångström, zero where there is no atom
};

class StructureModule {
 public:
  // Weights are those under `prefix`, which ends in a point. The loader's precision must be float32.
  StructureModule(const Loader& loader, const StructureModuleConfig& config,
                  const std::string& prefix = "trunk.structure_module.");

  // All blocks, without torsion angles. single [P, c_s] and pair [P, P, c_z], contiguous, as trunk2sm_s and trunk2sm_z
  // give them; pair is overwritten with its normalised form. Needs one [H, P, P] and little else beside it.
  // Trace: structure.initial, structure.I.ipa, structure.I.state, structure.I.frames.
  [[nodiscard]] BackboneState fold_backbone(const at::Tensor& single, at::Tensor pair,
                                            const FoldTrace& trace = {}) const;

  // [P, 3, 3] N, CA, C in ångström, zero for X; aatype [P] int64.
  [[nodiscard]] at::Tensor backbone_positions(const BackboneState& state, const at::Tensor& aatype) const;

  // Trace: structure.angles, structure.unnormalized_angles, structure.sidechain_frames.
  [[nodiscard]] Atoms place_atoms(const BackboneState& state, const at::Tensor& aatype,
                                  const FoldTrace& trace = {}) const;

  // Algorithm 22, invariant point attention: single [P, c_s], frames in the module's units -> [P, c_s].
  // pair and bias as normalise_pair leaves them.
  [[nodiscard]] at::Tensor invariant_point_attention(const at::Tensor& single, const Rigid& frames,
                                                     const at::Tensor& pair, const at::Tensor& bias) const;

  // Normalises pair [P, P, c_z] in place and returns what it adds to the attention of every block, [H, P, P].
  [[nodiscard]] at::Tensor normalise_pair(at::Tensor& pair) const;

 private:
  struct Residual {  // of a transition (three layers) or of the angle network (two)
    std::vector<Linear> layers;
  };

  [[nodiscard]] at::Tensor transition(at::Tensor single) const;
  [[nodiscard]] at::Tensor predict_angles(const BackboneState& state) const;

  StructureModuleConfig config_;
  LayerNorm single_norm_;
  LayerNorm pair_norm_;
  Linear input_;
  Linear attention_in_;       // queries, keys and values, query points, key and value points side by side
  Linear attention_bias_;     // c_z -> H
  at::Tensor point_weights_;  // [H], of a squared distance
  Linear attention_out_;
  LayerNorm attention_norm_;
  std::vector<Residual> transitions_;
  LayerNorm transition_norm_;
  Linear backbone_update_;
  Linear angles_in_;
  Linear angles_initial_;
  std::vector<Residual> angle_blocks_;
  Linear angles_out_;
};

}  // namespace pleat
