// The golden data of tests/data/esmfold: small models, and what transformers computes with them; see the README there.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <string>
#include <vector>

#include "esm2/tokenizer.h"
#include "esmfold/model.h"
#include "weights/checkpoint.h"

namespace pleat {

struct GoldenFold {
  std::string sequence;  // chains joined by ':'
  std::int64_t num_recycles = 0;
  ChainLink link;
  bool traced = false;
  double mean_plddt = 0;  // NaN where no atom exists
  double ptm = 0;
  double extent = 0;  // ångström, the largest distance between two atoms
  double bfloat16_positions =
      0;                      // how far the reference in bfloat16 is from itself, in parts of the extent; 0 = not known
  double bfloat16_plddt = 0;  // likewise, in parts of 100
};

// One folder of the golden data: its model, cases and arrays.
class GoldenModel {
 public:
  explicit GoldenModel(const std::string& name, at::ScalarType precision = at::kFloat, at::Device device = at::kCPU);

  [[nodiscard]] const std::vector<GoldenFold>& cases() const { return cases_; }
  [[nodiscard]] const EsmFold& model() const { return model_; }

  [[nodiscard]] bool has(std::size_t index, const std::string& name) const;
  [[nodiscard]] at::Tensor expected(std::size_t index, const std::string& name) const;
  // Every name of a case's intermediate states.
  [[nodiscard]] std::vector<std::string> traces(std::size_t index) const;

  // What the trunk is given of a case.
  [[nodiscard]] FoldInput input(std::size_t index) const;
  // The language model's mixed states of the sequences of `indices`, computed as one batch: [P, D] each.
  [[nodiscard]] std::vector<at::Tensor> states(const std::vector<std::size_t>& indices) const;
  // The output, and what the trace hears, is on the processor.
  [[nodiscard]] FoldOutput fold(std::size_t index, FoldRequest request, const FoldTrace& trace = {}) const;

 private:
  std::filesystem::path folder_;
  ModelConfig config_;
  Checkpoint checkpoint_;
  EsmFold model_;
  Checkpoint golden_;
  std::vector<GoldenFold> cases_;
};

// Every folder under tests/data/esmfold; at least five, or it throws.
[[nodiscard]] std::vector<std::string> golden_models();

}  // namespace pleat
