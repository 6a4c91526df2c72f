// The processor as a device: all its cores work on one batch.
#pragma once

#include <optional>

#include "pleat/core/stop.h"
#include "pleat/esm2/model.h"
#include "pleat/esm2/tokenizer.h"
#include "pleat/esmfold/model.h"
#include "pleat/runtime/device.h"

namespace pleat {

// How sequences are to be folded.
struct FoldTask {
  const EsmFold* model = nullptr;
  FoldRequest request;
  ChainLink link;
};

// What has been folded so far.
struct FoldTotals {
  std::int64_t sequences = 0;
  std::int64_t positions = 0;  // linkers included
  double seconds = 0;          // without the language-model passes
  double flops = 0;            // of the passes that were computed, by the cost model
};

class CpuDevice : public Device {
 public:
  // What is passed by reference or pointer must outlive the device. With `fold` the layout has structures, and `model`
  // is the folding model's language model.
  CpuDevice(const Esm2& model, const Tokenizer& tokenizer, const SequenceTable& sequences, const ResultLayout& layout,
            std::optional<FoldTask> fold, const StopFlag& stop);

  [[nodiscard]] std::string name() const override { return "cpu:0"; }
  // The language model takes the rows as one batch, the folding model each by itself.
  [[nodiscard]] std::vector<SequenceResult> compute(const std::vector<std::int64_t>& rows) override;

  [[nodiscard]] const FoldTotals& folded() const { return folded_; }

 private:
  [[nodiscard]] FoldOutput fold(const at::Tensor& states, std::int64_t row);
  void add_fold(const at::Tensor& states, SequenceResult& result);

  const Esm2& model_;
  const Tokenizer& tokenizer_;
  const SequenceTable& sequences_;
  const ResultLayout& layout_;
  std::optional<FoldTask> fold_;
  const StopFlag& stop_;
  std::vector<std::int64_t> letter_ids_;
  FoldTotals folded_;
};

}  // namespace pleat
