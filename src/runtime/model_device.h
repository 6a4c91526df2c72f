// A share of the processor's cores, or a GPU, as a device.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Stream.h>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/stop.h"
#include "engine/device.h"
#include "runtime/loaded_model.h"
#include "runtime/prepare.h"
#include "runtime/under_way.h"
#include "weights/checkpoint.h"

namespace pleat {

// What has been folded so far, on all devices.
struct FoldTotals {
  std::int64_t sequences = 0;
  std::int64_t positions = 0;  // linkers included
  double seconds = 0;          // without the language-model passes; summed over devices
  double flops = 0;            // of the passes that were computed, by the cost model
};

class FoldCount {
 public:
  void add(const FoldTotals& more);
  [[nodiscard]] FoldTotals totals() const;

 private:
  mutable std::mutex mutex_;
  FoldTotals totals_;
};

// The model in float32 beside the one that a run in 16 bits computes with, for what gives NaN or infinity there. Loaded
// when it is first asked for, once for the processor or a GPU.
class Float32Models {
 public:
  Float32Models(std::shared_ptr<const Checkpoint> checkpoint, const PreparedJob& job)
      : checkpoint_(std::move(checkpoint)), job_(job) {}
  // Waits while another thread loads. Throws what LoadedModel's constructor throws.
  [[nodiscard]] std::shared_ptr<const LoadedModel> on(at::Device device);

 private:
  std::shared_ptr<const Checkpoint> checkpoint_;
  const PreparedJob& job_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const LoadedModel>> models_;  // by the device's name
};

// What the devices of a run share.
struct Computation {
  // What asks the run to stop asks the devices too.
  Computation(std::shared_ptr<const PreparedJob> prepared, JobPlan planned,
              std::shared_ptr<const Checkpoint> checkpoint, std::vector<std::shared_ptr<const LoadedModel>> loaded,
              std::shared_ptr<const StopToken> stop)
      : job(std::move(prepared)),
        plan(std::move(planned)),
        models(std::move(loaded)),
        float32_models(std::move(checkpoint), *job),
        halt(std::make_shared<StopToken>(std::move(stop))) {}

  const std::shared_ptr<const PreparedJob> job;
  const JobPlan plan;
  // One in the processor's memory for all, or one on each GPU.
  const std::vector<std::shared_ptr<const LoadedModel>> models;
  Float32Models float32_models;
  std::shared_ptr<StopToken> halt;  // of the devices alone
  FoldCount folded;
  UnderWay under_way;
};

class ModelDevice : public Device {
 public:
  // Device `number` of those that `shared` was prepared for; with GPUs, the number-th of them.
  ModelDevice(std::shared_ptr<Computation> shared, std::int64_t number);

  [[nodiscard]] std::string name() const override;
  [[nodiscard]] bool prefetches() const override;
  [[nodiscard]] Pending begin(const std::vector<std::int64_t>& rows) override;
  // The language model takes the rows as one batch, the folding model each by itself.
  [[nodiscard]] std::vector<SequenceResult> compute(const std::vector<std::int64_t>& rows,
                                                    const Effort& effort) override;
  [[nodiscard]] std::string memory() const override;
  [[nodiscard]] std::vector<std::int64_t> smaller_chunks() const override;
  [[nodiscard]] bool has_float32() const override;
  [[nodiscard]] std::string need_of(std::int64_t row) const override;
  [[nodiscard]] double slowest_rate() const override;

 private:
  struct LanguageModelOutput {
    Pending results;
    at::Tensor mixed;   // Esm2Output::mixed
    at::Tensor logits;  // Esm2Output::logits
  };

  // Runs the body with this thread's LibTorch set up for the device.
  template <class Body>
  auto on_the_device(const Body& body) const;
  // Runs the body, with LibTorch's exceptions as the engine's errors.
  template <class Body>
  auto in_the_engines_words(const Body& body) const;
  [[nodiscard]] PackedBatch pack(const std::vector<std::int64_t>& rows) const;
  // Does not wait for the device.
  [[nodiscard]] LanguageModelOutput run_language_model(const LoadedModel& model, const PackedBatch& batch) const;
  [[nodiscard]] std::vector<SequenceResult> compute_with(const LoadedModel& model,
                                                         const std::vector<std::int64_t>& rows, const Effort& effort);
  void add_fold(const LoadedModel& model, const at::Tensor& states, const Effort& effort, SequenceResult& result);
  [[nodiscard]] FoldOutput fold(const EsmFold& model, const at::Tensor& states, const Effort& effort, std::int64_t row);

  std::shared_ptr<Computation> shared_;
  const PreparedJob& job_;
  at::Device device_;
  DevicePlace place_;
  std::optional<c10::Stream> stream_;  // of a GPU's worker that shares it with others
  std::shared_ptr<const LoadedModel> model_;
  std::vector<std::int64_t> letter_ids_;
};

}  // namespace pleat
