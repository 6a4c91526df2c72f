// The processor as a device: all its cores work on one batch.
#pragma once

#include "pleat/esm2/model.h"
#include "pleat/esm2/tokenizer.h"
#include "pleat/runtime/device.h"

namespace pleat {

class CpuDevice : public Device {
 public:
  // What is passed by reference must outlive the device.
  CpuDevice(const Esm2& model, const Tokenizer& tokenizer, const SequenceTable& sequences, const ResultLayout& layout);

  [[nodiscard]] std::string name() const override { return "cpu:0"; }
  [[nodiscard]] std::vector<SequenceResult> compute(const std::vector<std::int64_t>& rows) override;

 private:
  const Esm2& model_;
  const Tokenizer& tokenizer_;
  const SequenceTable& sequences_;
  const ResultLayout& layout_;
  std::vector<std::int64_t> letter_ids_;
};

}  // namespace pleat
