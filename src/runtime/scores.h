// Scores of sequences and of their variants by a masked language model (Meier et al. 2021, "Language models enable
// zero-shot prediction of the effects of mutations on protein function"; Salazar et al. 2020, "Masked language model
// scoring").
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "esm2/model.h"
#include "format/sequence_result.h"
#include "runtime/prepare.h"
#include "tensor/packed_batch.h"

namespace pleat {

// Scores each sequence of a batch and adds the scores to its result. `logits` [T, vocabulary] are those of the batch
// itself, without masks; undefined where no score is made of them. No pass has more than `most_tokens`, but for a
// single copy. A sequence whose logits are not finite comes back failed; one that has failed already is left out.
// Throws Stopped, see StopScope.
void add_scores(const PreparedJob& job, const Esm2& model, const PackedBatch& batch, const at::Tensor& logits,
                std::int64_t most_tokens, std::vector<SequenceResult>& results);

}  // namespace pleat
