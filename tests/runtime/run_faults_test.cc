// Whole runs on devices that fail: lost, out of memory, hanging. What they leave, and what comes of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "pleat/core/error.h"
#include "pleat/core/file.h"
#include "pleat/runtime/job.h"
#include "pleat/store/check_results.h"
#include "pleat/store/result_reader.h"
#include "pleat/store/schema.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Rows = std::vector<std::int64_t>;

// Another device, with something done before each computation.
class Wrapped : public Device {
 public:
  using Fault = std::function<void(const Rows&, const Effort&)>;
  Wrapped(std::shared_ptr<Device> inner, Fault fault) : inner_(std::move(inner)), fault_(std::move(fault)) {}

  [[nodiscard]] std::string name() const override { return inner_->name(); }
  [[nodiscard]] std::vector<SequenceResult> compute(const Rows& rows, const Effort& effort) override {
    fault_(rows, effort);
    return inner_->compute(rows, effort);
  }
  [[nodiscard]] std::vector<std::int64_t> smaller_chunks() const override { return inner_->smaller_chunks(); }
  [[nodiscard]] std::string need_of(std::int64_t row) const override { return inner_->need_of(row); }

 private:
  std::shared_ptr<Device> inner_;
  Fault fault_;
};

class Listener : public RunObserver {
 public:
  void info(const std::string& line) override { heard.push_back(line); }
  void warning(const std::string& line) override { heard.push_back(line); }
  void progress(const Progress& /*progress*/) override {}
  std::vector<std::string> heard;
};

class RunFaultsTest : public ::testing::Test {
 protected:
  RunFaultsTest() {
    std::string name = (fs::temp_directory_path() / "pleat-faults-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    folder_ = name;
    std::ofstream fasta(folder_ / "in.fasta");
    for (int i = 0; i < sequences; ++i) fasta << ">p" << i << "\n" << std::string(10 + i, "ACDEFGHIKL"[i % 10]) << "\n";
  }
  ~RunFaultsTest() override { fs::remove_all(folder_); }

  [[nodiscard]] fs::path output() const { return folder_ / "out.h5"; }

  Manifest manifest(const std::string& model, const std::string& more) {
    std::ofstream(folder_ / "m.yaml") << "version: 1\nmodel: " << PLEAT_TEST_DATA << "/" << model
                                      << "\ninputs: [in.fasta]\noutput: out.h5\n"
                                      << more;
    return load_manifest(folder_ / "m.yaml", {});
  }

  Manifest embedding(const std::string& devices) {
    return manifest("esm2/head16",
                    "run: {max_tokens_per_batch: 100, devices: \"" + devices + "\", batch_timeout: 1}\n");
  }

  RunSummary run(const Manifest& manifest, const Wrapped::Fault& fault) {
    RunSettings settings;
    settings.pleat_version = "test";
    settings.wrap_device = [fault](std::shared_ptr<Device> device) {
      return std::make_shared<Wrapped>(std::move(device), fault);
    };
    return run_job(manifest, settings, listener_);
  }

  // Everything that was computed, as the file holds it.
  std::vector<float> means() const {
    const ResultReader reader(output());
    return reader.floats("/embeddings/layer_02/mean", 0, reader.sequence_count());
  }

  std::vector<float> undisturbed_means() {
    run(embedding("cpu"), [](const Rows&, const Effort&) {});
    std::vector<float> means = this->means();
    fs::remove(output());
    return means;
  }

  void expect_good_file() const {
    for (const ResultProblem& problem : check_results(output()).problems) {
      ADD_FAILURE() << problem.place << ": " << problem.what;
    }
  }

  static constexpr int sequences = 30;
  fs::path folder_;
  Listener listener_;
};

TEST_F(RunFaultsTest, ALostDeviceCostsNothing) {
  const std::vector<float> expected = undisturbed_means();
  std::atomic<int> calls = 0;
  const RunSummary summary = run(embedding("cpu*2"), [&](const Rows&, const Effort&) {
    if (++calls == 5) throw DeviceLost("fell off the bus");
  });
  EXPECT_EQ(summary.ok, sequences);
  EXPECT_EQ(means(), expected);
  EXPECT_THAT(listener_.heard, ::testing::Contains(HasSubstr("fell off the bus")));
  expect_good_file();
}

TEST_F(RunFaultsTest, WithNoDeviceLeftALaterRunGoesOn) {
  const std::vector<float> expected = undisturbed_means();
  std::atomic<int> calls = 0;
  // What costs a second device is given up, so these losses spare the sequences that are tried alone after the first.
  const auto fault = [&](const Rows& rows, const Effort&) {
    if (++calls % 3 == 0 && rows.size() > 1) throw DeviceLost("fell off the bus");
  };
  int runs = 0;
  for (bool done = false; !done; ++runs) {
    ASSERT_LT(runs, 20);
    try {
      EXPECT_EQ(run(embedding("cpu"), fault).ok, sequences);
      done = true;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::retry);
      EXPECT_THAT(error.hint(), HasSubstr("same command"));
      EXPECT_FALSE(fs::exists(output()));
    }
  }
  EXPECT_GT(runs, 2);
  EXPECT_EQ(means(), expected);
  expect_good_file();
}

// One input that takes every device with it: two devices are lost, in two runs, and everything else is computed.
TEST_F(RunFaultsTest, APoisonousSequenceIsGivenUpAfterTwoDevices) {
  const auto fault = [](const Rows& rows, const Effort&) {
    if (std::ranges::count(rows, 12) > 0) throw DeviceLost("fell off the bus");
  };
  EXPECT_THROW(run(embedding("cpu"), fault), Error);
  EXPECT_THROW(run(embedding("cpu"), fault), Error);
  const RunSummary summary = run(embedding("cpu"), fault);
  EXPECT_EQ(summary.ok, sequences - 1);
  EXPECT_EQ(summary.failed, 1);
  EXPECT_EQ(ResultReader(output()).records(12, 1).front().error_code, "device_lost");
  expect_good_file();
}

TEST_F(RunFaultsTest, TheRungIsRecorded) {
  const std::vector<float> expected = undisturbed_means();
  const RunSummary summary = run(embedding("cpu"), [](const Rows& rows, const Effort&) {
    if (rows.size() > 2 || std::ranges::count(rows, 7) > 0) throw OutOfMemory();
  });
  EXPECT_EQ(summary.ok, sequences - 1);
  const ResultReader reader(output());
  const Record failed = reader.records(7, 1).front();
  EXPECT_EQ(failed.error_code, "out_of_memory");
  EXPECT_THAT(failed.message, HasSubstr("GB beside the weights"));
  const std::vector<float> rungs = reader.floats(schema::record_memory_rung, 0, sequences);
  EXPECT_EQ(rungs[7], 0);
  EXPECT_EQ(rungs[0], 1);
  std::vector<float> found = means();
  const std::size_t width = found.size() / sequences;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (i / width != 7) {
      ASSERT_EQ(found[i], expected[i]);
    }
  }
  expect_good_file();
}

TEST_F(RunFaultsTest, AFoldGoesDownToASmallerChunkWithTheSameNumbers) {
  const Manifest folding =
      manifest("esmfold/wide_pair", "tasks: {structure: {num_recycles: 0, pae: false}}\npolicy: {max_length: 13}\n");
  const auto none = [](const Rows&, const Effort&) {};
  run(folding, none);
  const std::vector<float> expected = ResultReader(output()).structure(1).positions;
  fs::remove(output());
  run(folding, [](const Rows&, const Effort& effort) {
    if (effort.chunk_size == 0) throw OutOfMemory();
  });
  const ResultReader reader(output());
  EXPECT_EQ(reader.structure(1).positions, expected);
  EXPECT_EQ(reader.floats(schema::record_memory_rung, 1, 1).front(), 2);
  expect_good_file();
}

TEST_F(RunFaultsTest, AHangingDeviceIsLeftBehind) {
  struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    bool open = false;
  };
  const std::vector<float> expected = undisturbed_means();
  const auto gate = std::make_shared<Gate>();
  const auto calls = std::make_shared<std::atomic<int>>(0);
  const RunSummary summary = run(embedding("cpu*2"), [gate, calls](const Rows&, const Effort&) {
    if (++*calls != 3) return;
    std::unique_lock lock(gate->mutex);
    gate->changed.wait(lock, [&] { return gate->open; });
  });
  EXPECT_EQ(summary.ok, sequences);
  EXPECT_EQ(means(), expected);
  EXPECT_THAT(listener_.heard, ::testing::Contains(HasSubstr("it hangs")));
  expect_good_file();
  const std::scoped_lock lock(gate->mutex);
  gate->open = true;
  gate->changed.notify_all();
}

}  // namespace
}  // namespace pleat
