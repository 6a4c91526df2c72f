#include "plan/scoring_cost.h"

namespace pleat {

namespace {

// A residue can become any of the other amino acids.
constexpr std::int64_t substitutions = 19;

}  // namespace

ScoringPasses::ScoringPasses(const ScoringTask& task) {
  if (!task.enabled) return;
  const bool has_variants = task.scans() || task.has_table();
  const bool masked_marginals = has_variants && task.method == VariantMethod::masked_marginals;
  scans = task.scans();
  mutants = has_variants && task.method == VariantMethod::pll_ratio;
  in_one_pass = task.mode == ScoringMode::one_pass;
  by_wild_type = has_variants && task.method == VariantMethod::wildtype_marginals;
  unmasked = in_one_pass || by_wild_type;
  each_residue = !in_one_pass || mutants || (masked_marginals && scans);
  positions = masked_marginals && !each_residue;
}

std::int64_t ScoringPasses::masked_copies(std::int64_t residues, const VariantCount& count) const {
  std::int64_t copies = each_residue ? residues : positions ? count.positions : 0;
  if (mutants) copies += residues * (scans ? substitutions * residues : count.mutants);
  return copies;
}

}  // namespace pleat
