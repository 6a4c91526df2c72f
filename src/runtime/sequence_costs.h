// What computing each sequence takes: tokens, passes of the language model, arithmetic.
#pragma once

#include <cstdint>
#include <vector>

#include "esm2/tokenizer.h"
#include "manifest/manifest.h"
#include "plan/scoring_cost.h"
#include "sequence/dataset.h"
#include "weights/config.h"

namespace pleat {

// Of one pass.
[[nodiscard]] std::vector<std::int64_t> token_counts(const SequenceTable& sequences, const Tokenizer& tokenizer);
// Of all passes over each sequence; `tokens` as token_counts() gives them.
[[nodiscard]] std::vector<std::int64_t> work_of(const Manifest& manifest, const SequenceTable& sequences,
                                                const std::vector<std::int64_t>& tokens);

// How often the language model computes a sequence, with masks and without.
[[nodiscard]] std::int64_t passes_of(const Manifest& manifest, std::int64_t residues, const VariantCount& variants);
[[nodiscard]] VariantCount count_variants(const SequenceTable& sequences, std::int64_t row);

// What sequences of so many tokens cost that are computed so often, all passes of a fold included.
[[nodiscard]] std::vector<double> costs_of(const std::vector<std::int64_t>& tokens,
                                           const std::vector<std::int64_t>& work, const ModelConfig& config,
                                           const StructureTask& structure);

}  // namespace pleat
