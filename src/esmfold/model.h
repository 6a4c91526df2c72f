// ESMFold (Lin et al. 2023, "Evolutionary-scale prediction of atomic-level protein structure with a language model"):
// the language model's states, a folding trunk over a sequence and a pair representation, AlphaFold's structure module
// (Jumper et al. 2021), heads for confidence. One sequence at a time, so that no result depends on its batch.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "core/stop.h"
#include "esm2/model.h"
#include "esmfold/distances.h"
#include "esmfold/input.h"
#include "esmfold/interfaces.h"
#include "weights/checkpoint.h"
#include "weights/config.h"
#include "weights/fold_config.h"

namespace pleat {

struct FoldRequest {
  std::int64_t num_recycles = 3;  // n + 1 passes
  // Recycling ends early once the root mean square change, from one pass to the next, of the distances that are
  // recycled (between C-beta atoms, over all pairs) is below this many ångström. 0 = never.
  double recycle_tolerance = 0;
  bool pae = true;
  bool interfaces = false;     // the numbers of a complex's interfaces
  double pae_cutoff = 10;      // of ipSAE, ångström
  bool distances = false;      // the distogram's expected distances and their spread
  bool distance_bins = false;  // and its probabilities
  bool distogram_logits = false;
  bool trunk_states = false;
  bool lm_logits = false;
  std::int64_t chunk_size = 0;      // channels of the pair state that a triangular multiplication keeps; 0 = all
  const StopToken* stop = nullptr;  // asked to stop: give up between two blocks, see fold(); may be null
};

// L residues, linkers left out.
struct FoldOutput {
  at::Tensor positions;         // [L, 14, 3] float32, ångström; zero where the residue has no such atom
  at::Tensor atom_mask;         // [L, 14] uint8
  at::Tensor plddt;             // [L, 14] float32, 0 to 100; zero where the residue has no such atom
  at::Tensor pae;               // [L, L] float32, ångström: the error expected at column j with row i aligned
  at::Tensor angles;            // [L, 7, 2] float32, sine and cosine
  at::Tensor trunk_states;      // [L, c_s] float32: the sequence state after the last pass through the trunk
  Distances distances;          // as Heads::distances, of the residues
  at::Tensor distogram_logits;  // [L, L, 64] float32
  at::Tensor lm_logits;         // [L, 23] float32
  double mean_plddt = 0;        // over the atoms that exist; NaN where there is none
  double ptm = 0;               // as the reference computes it: over linkers too
  Interfaces interfaces;        // linkers left out; empty unless asked for
  std::int64_t recycles = 0;    // passes that were computed, less one
};

// Hears intermediate results by name, for tests: "trunk.0.seq_attention", "structure.3.frames". See
// tests/data/esmfold/README.md for the names.
using FoldTrace = std::function<void(std::string_view name, const at::Tensor& value)>;

class EsmFold {
 public:
  // Binds every tensor, those of the language model included. `precision` is that of the language model and of the
  // trunk on `device`, as in Esm2; the pair and the sequence state, the structure module, the heads and all
  // reductions stay in float32. Throws Error(bad_input) that lists everything wrong with the checkpoint.
  EsmFold(const Checkpoint& checkpoint, const Esm2Config& language_model, const FoldConfig& config,
          at::ScalarType precision, at::Device device = at::kCPU);
  ~EsmFold();
  EsmFold(EsmFold&&) noexcept;
  EsmFold& operator=(EsmFold&&) noexcept;

  [[nodiscard]] const Esm2& language_model() const;
  [[nodiscard]] const FoldConfig& config() const;
  // The share of each of the language model's hidden states in what the trunk is given: what Esm2Request::mix asks
  // for. [layers + 1] float32, adding up to 1, on the processor.
  [[nodiscard]] const at::Tensor& mix() const;

  // states [P, D] float32: Esm2Output::mixed of one sequence, without its begin and end token, where the weights are;
  // so is the output. Throws Stopped.
  [[nodiscard]] FoldOutput fold(const at::Tensor& states, const FoldInput& input, const FoldRequest& request,
                                const FoldTrace& trace = {}) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace pleat
