// ESMFold's folding trunk (Lin et al. 2023, supplement, algorithm 3): blocks that refine a sequence state and a pair
// state by turns. P positions, c_s and C the widths of the two states.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "esm2/loader.h"
#include "esmfold/model.h"
#include "ops/pair_bias/pair_bias.h"
#include "ops/pair_transition/pair_transition.h"
#include "ops/sequence_to_pair/sequence_to_pair.h"
#include "ops/triangle_attention/triangle_attention.h"
#include "ops/triangle_multiplication/triangle_multiplication.h"
#include "weights/fold_config.h"

namespace pleat {

struct TrunkBlock {
  // The sequence state attends to itself with a bias from the pair state, then a transition.
  PairBias pair_bias;
  LayerNorm attention_norm;
  Linear qkv;   // c_s -> H x (query, key, value)
  Linear gate;  // c_s -> c_s
  Linear attention_out;
  LayerNorm transition_norm;
  Linear transition_in;  // c_s -> 4 c_s, rectified
  Linear transition_out;
  // The pair state hears of the sequence state, then of itself along triangles, then a transition.
  LayerNorm sequence_norm;
  Linear sequence_projection;  // c_s -> C: q and k of C / 2
  SequenceToPair sequence_to_pair;
  TriangleMultiplication multiplication_outgoing;
  TriangleMultiplication multiplication_incoming;
  TriangleAttention attention_starting;
  TriangleAttention attention_ending;
  PairTransition pair_transition;
};

class Trunk {
 public:
  // Weights are those under "trunk.", the structure module's left out.
  Trunk(const Loader& loader, const TrunkConfig& config);

  // The states that a pass starts from. s [P, c_s] is the trunk's input; previous_s [P, c_s] and z [P, P, C] are what
  // the pass before has left, zeros before the first, and bins [P, P] int64 its distogram. z is overwritten.
  [[nodiscard]] at::Tensor start(const at::Tensor& s, const at::Tensor& previous_s, at::Tensor& z,
                                 const at::Tensor& bins, const at::Tensor& residue_index) const;

  // All blocks, in place. `between` is called before each block. Trace: block.B....
  void run(at::Tensor& s, at::Tensor& z, std::int64_t chunk_size, const std::function<void()>& between,
           const FoldTrace& trace) const;

 private:
  // LN(s += update) in the precision of the linear layers; without an update, s is not changed.
  [[nodiscard]] at::Tensor norm(const LayerNorm& parameters, at::Tensor& s, const at::Tensor& update = {}) const;
  // Attention and transition of s [P, c_s]; returns its norm for update_pairs, [P, c_s].
  [[nodiscard]] at::Tensor update_sequence(const TrunkBlock& block, at::Tensor& s, const at::Tensor& z,
                                           const FoldTrace& trace) const;
  void update_pairs(const TrunkBlock& block, const at::Tensor& normed, at::Tensor& z, std::int64_t chunk_size,
                    PairWorkspace& workspace, const FoldTrace& trace) const;

  TrunkConfig config_;
  at::ScalarType precision_;
  std::vector<TrunkBlock> blocks_;
  at::Tensor relative_positions_;  // [2 position_bins + 2, C]
  at::Tensor recycled_distances_;  // [recycle_bin_count, C]
  LayerNorm recycled_sequence_norm_;
  LayerNorm recycled_pair_norm_;
};

// The same trace with each name behind `prefix`.
[[nodiscard]] FoldTrace prefixed(const FoldTrace& trace, const std::string& prefix);

}  // namespace pleat
