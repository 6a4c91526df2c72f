// Many copies of sequences, each with one residue masked, in as few forward passes as they fit into.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "esm2/model.h"
#include "esm2/tokenizer.h"
#include "tensor/host.h"
#include "tensor/packed_batch.h"

namespace pleat {

// Which copy it is, for the caller alone.
struct MaskedCopy {
  std::int64_t sequence = 0;
  std::int64_t mutant = 0;
  std::int64_t residue = 0;
  std::int64_t token = 0;  // what the mask hides
};

class MaskedPasses {
 public:
  // Gets what the model says of the masked token, [vocabulary] float32.
  using Take = std::function<void(const MaskedCopy& copy, std::span<const float> logits)>;

  // A pass has at most `most_tokens`, but for a longer copy alone. `model` and `tokenizer` must outlive this.
  MaskedPasses(const Esm2& model, const Tokenizer& tokenizer, std::int64_t most_tokens, Take take)
      : model_(model), tokenizer_(tokenizer), most_tokens_(most_tokens), take_(std::move(take)) {}

  // A copy of a sequence of tokens, begin and end included, with the token at `masked` masked. Computes a pass when the
  // copy does not fit into the one that is being filled. Throws Stopped, see StopScope.
  void add(const MaskedCopy& copy, std::span<const std::int64_t> tokens, std::int64_t masked);
  // Computes what is left. `take` has then been called for each copy, in their order.
  void finish();

 private:
  struct UnderWay {
    std::vector<MaskedCopy> copies;
    HostCopies logits;  // [copies, vocabulary]
  };

  void begin_pass();
  void take_results();

  const Esm2& model_;
  const Tokenizer& tokenizer_;
  std::int64_t most_tokens_;
  Take take_;
  PackedBatch batch_{.tokens = {}, .cu_seqlens = {0}, .rows = {}, .residue_tokens = {}};
  std::vector<MaskedCopy> copies_;     // in the batch
  std::optional<UnderWay> under_way_;  // the pass before; a GPU may still be at it
};

}  // namespace pleat
