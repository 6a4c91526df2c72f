// The golden data of tests/data/esm2: what transformers computes for small models, made by scripts/golden/.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "sequence/dataset.h"
#include "weights/checkpoint.h"

namespace pleat {

struct GoldenTensor {
  at::Tensor expected;            // the rows that were kept
  double bfloat16_deviation = 0;  // how far transformers' own bfloat16 is from it, relative to its largest magnitude
};

struct GoldenSequence {
  std::string residues;
  at::Tensor tokens;                            // kept rows of hidden states and logits; 0 = the begin token
  at::Tensor contact_residues;                  // kept rows and columns of contacts
  std::map<std::int64_t, GoldenTensor> hidden;  // by layer
  GoldenTensor logits;
  GoldenTensor contacts;
};

struct Golden {
  std::filesystem::path folder;
  std::vector<std::int64_t> layers;
  std::vector<GoldenSequence> sequences;
};

// Throws when any file or tensor of it is missing.
[[nodiscard]] Golden load_golden(const std::string& name);

// Every case under tests/data/esm2; at least four, or it throws.
[[nodiscard]] std::vector<std::string> golden_cases();

[[nodiscard]] SequenceTable table_of(const std::vector<std::string>& sequences);

}  // namespace pleat
