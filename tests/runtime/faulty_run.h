// Whole runs, from a manifest to a file, on devices that fail where a test says so.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/scratch_folder.h"
#include "engine/gate.h"
#include "engine/in_order.h"
#include "results/check_results.h"
#include "results/result_reader.h"
#include "runtime/job.h"
#include "seeded_model.h"
#include "test_data.h"

namespace pleat {

// Another device, with something done before each computation.
class Wrapped : public Device {
 public:
  using Rows = std::vector<std::int64_t>;
  using Fault = std::function<void(const Rows&, const Effort&)>;
  // `ahead`: it prefetches, whatever the other one does. `life` is held until all else of the device is gone.
  Wrapped(std::shared_ptr<void> life, std::shared_ptr<Device> inner, Fault fault, bool ahead)
      : life_(std::move(life)), inner_(std::move(inner)), fault_(std::move(fault)), ahead_(ahead) {}

  [[nodiscard]] std::string name() const override { return inner_->name(); }
  [[nodiscard]] std::vector<SequenceResult> compute(const Rows& rows, const Effort& effort) override {
    fault_(rows, effort);
    std::vector<SequenceResult> results = inner_->compute(rows, effort);
    for (SequenceResult& result : results) {
      if (not_finite.contains(result.row) && !effort.in_float32) {
        result = failed_result(result.row, RecordCode::not_finite, "embeddings hold NaN or infinity");
      }
    }
    return results;
  }
  [[nodiscard]] bool has_float32() const override { return inner_->has_float32(); }
  [[nodiscard]] bool prefetches() const override { return ahead_ || inner_->prefetches(); }
  [[nodiscard]] Pending begin(const Rows& rows) override {
    if (ahead_) return in_order_.begin([this, rows] { return compute(rows, {}); });
    if (!inner_->prefetches()) return Device::begin(rows);
    fault_(rows, {});
    return inner_->begin(rows);
  }
  [[nodiscard]] std::string memory() const override { return inner_->memory(); }
  [[nodiscard]] std::vector<std::int64_t> smaller_chunks() const override { return inner_->smaller_chunks(); }
  [[nodiscard]] double slowest_rate() const override { return inner_->slowest_rate(); }
  [[nodiscard]] std::string need_of(std::int64_t row) const override { return inner_->need_of(row); }

  std::set<std::int64_t> not_finite;  // rows that give NaN, but in float32

 private:
  std::shared_ptr<void> life_;
  std::shared_ptr<Device> inner_;
  Fault fault_;
  bool ahead_;
  InOrder in_order_;
};

class Listener : public RunObserver {
 public:
  void info(const std::string& line) override { heard.push_back(line); }
  void warning(const std::string& line) override { heard.push_back(line); }
  void progress(const Progress& /*progress*/) override {}
  std::vector<std::string> heard;
};

class FaultyRunTest : public ::testing::Test {
 protected:
  FaultyRunTest() {
    std::ofstream fasta(folder_ / "in.fasta");
    for (int i = 0; i < sequences; ++i) fasta << ">p" << i << "\n" << std::string(10 + i, "ACDEFGHIKL"[i % 10]) << "\n";
  }

  // A device that was left behind goes on computing once it no longer hangs, and the program must not end under it.
  ~FaultyRunTest() override {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (devices_.use_count() > 1 && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_EQ(devices_.use_count(), 1) << "a device is still at work";
  }

  [[nodiscard]] std::filesystem::path output() const { return folder_ / "out.h5"; }

  Manifest manifest(const std::string& model, const std::string& more) {
    std::ofstream(folder_ / "m.yaml") << "version: 1\nmodel: " << golden_model_folder(test_data() / model).string()
                                      << "\ninputs: [in.fasta]\noutput: out.h5\n"
                                      << more;
    return load_manifest(folder_ / "m.yaml", {});
  }

  Manifest embedding(const std::string& devices) {
    return manifest("esm2/head16",
                    "run: {max_tokens_per_batch: 100, devices: \"" + devices + "\", batch_timeout: 1}\n");
  }

  // Of the shortest sequences, with a model whose pair state has smaller chunks.
  Manifest folding(const std::string& run = "{}", const std::string& model = "wide_pair") {
    return manifest("esmfold/" + model,
                    "tasks: {structure: {num_recycles: 0, pae: false}}\nrun: " + run + "\npolicy: {max_length: 13}\n");
  }

  RunSummary run(const Manifest& manifest, const Wrapped::Fault& fault = [](const Wrapped::Rows&, const Effort&) {}) {
    RunSettings settings;
    settings.pleat_version = "test";
    if (ahead_) settings.order = BatchOrder::by_row;
    settings.stop = stop_;
    settings.wrap_device = [fault, this](std::shared_ptr<Device> device) {
      auto wrapped = std::make_shared<Wrapped>(devices_, std::move(device), fault, ahead_);
      wrapped->not_finite = not_finite_;
      return wrapped;
    };
    return run_job(manifest, settings, listener_);
  }

  // Everything that was computed, as the file holds it.
  std::vector<float> means() const {
    const ResultReader reader(output());
    return reader.floats("/embeddings/layer_02/mean", 0, reader.sequence_count());
  }

  std::vector<float> undisturbed_means(const std::string& devices = "cpu") {
    run(embedding(devices));
    std::vector<float> means = this->means();
    std::filesystem::remove(output());
    return means;
  }

  void expect_good_file() const {
    for (const ResultProblem& problem : check_results(output()).problems) {
      ADD_FAILURE() << problem.place << ": " << problem.what;
    }
  }

  static constexpr int sequences = 30;
  bool ahead_ = false;                 // whether devices work ahead, and the file is assembled meanwhile
  std::set<std::int64_t> not_finite_;  // rows that give NaN, but in float32
  std::shared_ptr<const StopToken> stop_;
  std::shared_ptr<int> devices_ = std::make_shared<int>();  // shared with each device as long as it lives
  ScratchFolder scratch_;
  std::filesystem::path folder_ = scratch_.path();
  Listener listener_;
};

}  // namespace pleat
