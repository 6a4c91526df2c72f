// How often the language model computes a sequence to score it.
#pragma once

#include <cstdint>

#include "manifest/manifest.h"

namespace pleat {

// What a table of variants asks of one sequence.
struct VariantCount {
  std::int64_t positions = 0;  // residues that some variant changes
  std::int64_t mutants = 0;    // different variants
};

// Which passes a task needs.
struct ScoringPasses {
  explicit ScoringPasses(const ScoringTask& task);

  bool unmasked = false;      // one with nothing masked
  bool each_residue = false;  // one for each residue, masked
  bool positions = false;     // one for each residue that a variant changes, masked
  bool mutants = false;       // of each variant one for each residue, masked
  bool scans = false;         // the variants are all single substitutions
  bool in_one_pass = false;   // log-probabilities of residues are those of the unmasked pass
  bool by_wild_type = false;  // and the scores of variants

  // Copies of a sequence of so many residues with one of them masked; the unmasked pass is not among them. About so
  // many where all single substitutions of a sequence with X in it are compared by their pseudo-log-likelihood.
  [[nodiscard]] std::int64_t masked_copies(std::int64_t residues, const VariantCount& count) const;
};

}  // namespace pleat
