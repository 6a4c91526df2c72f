#include "runtime/sequence_costs.h"

#include <set>
#include <string_view>

#include "plan/cost.h"
#include "plan/fold_cost.h"
#include "runtime/capacity.h"
#include "sequence/variants.h"

namespace pleat {

std::vector<std::int64_t> token_counts(const SequenceTable& sequences, const Tokenizer& tokenizer) {
  std::vector<std::int64_t> tokens;
  for (std::int64_t row = 0; row < sequences.size(); ++row) {
    tokens.push_back(tokenizer.token_count(sequences.length(row), sequences.chains(row)));
  }
  return tokens;
}

std::vector<std::int64_t> work_of(const Manifest& manifest, const SequenceTable& sequences,
                                  const std::vector<std::int64_t>& tokens) {
  std::vector<std::int64_t> work;
  work.reserve(tokens.size());
  for (std::int64_t row = 0; row < sequences.size(); ++row) {
    work.push_back(tokens[row] * passes_of(manifest, sequences.length(row), count_variants(sequences, row)));
  }
  return work;
}

std::int64_t passes_of(const Manifest& manifest, std::int64_t residues, const VariantCount& variants) {
  const Tasks& tasks = manifest.tasks;
  const ScoringPasses scoring(tasks.scoring);
  const bool others =
      tasks.embeddings.enabled || tasks.logits || tasks.contacts || tasks.attentions.enabled || tasks.structure.enabled;
  return scoring.masked_copies(residues, variants) + (others || scoring.unmasked ? 1 : 0);
}

VariantCount count_variants(const SequenceTable& sequences, std::int64_t row) {
  std::set<std::int64_t> positions;
  std::set<std::string_view> mutants;
  for (const SequenceVariant& variant : sequences.variants(row)) {
    if (!mutants.insert(variant.text).second) continue;
    for (const Substitution& one : parse_variant(variant.text, sequences.residues(row)).substitutions) {
      positions.insert(one.residue);
    }
  }
  return {std::ssize(positions), std::ssize(mutants)};
}

std::vector<double> costs_of(const std::vector<std::int64_t>& tokens, const std::vector<std::int64_t>& work,
                             const ModelConfig& config, const StructureTask& structure) {
  const ModelShape shape = shape_of(config.language_model);
  std::vector<double> flops;
  for (std::size_t row = 0; row < tokens.size(); ++row) {
    const std::int64_t count = tokens[row];
    const std::int64_t copies = work[row] / count;
    flops.push_back(forward_flops(shape, count) * static_cast<double>(copies));
    if (structure.enabled) {
      flops.back() += fold_flops(config.folding(), count - end_tokens, structure.num_recycles + 1);
    }
  }
  return flops;
}

}  // namespace pleat
