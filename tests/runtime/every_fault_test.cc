// A fault at each moment at which one can happen, in whole runs, and what came of them in numbers: injected; survived,
// where the run or one after it ended with an undisturbed run's file; lost, the sequences whose results are not in it.
#include <atomic>
#include <iostream>
#include <set>

#include "core/error.h"
#include "cuda_row.h"
#include "faulty_run.h"

namespace pleat {
namespace {

using Rows = Wrapped::Rows;
using Numbers = std::vector<float>;

class EveryFaultTest : public FaultyRunTest {
 protected:
  void TearDown() override {
    if (IsSkipped()) return;
    std::cout << "faults: " << what_ << ": injected " << injected_ << ", survived " << survived_ << ", lost " << lost_
              << std::endl;
    EXPECT_GT(injected_, 0);
    EXPECT_EQ(survived_, injected_);
    EXPECT_EQ(lost_, 0);
  }

  // How often an undisturbed run calls its devices.
  std::int64_t calls_of(const Manifest& manifest) {
    std::atomic<std::int64_t> calls = 0;
    run(manifest, [&](const Rows&, const Effort&) { ++calls; });
    std::filesystem::remove(output());
    return calls;
  }

  // After so many faults to a run that has come to its end now; they stand or fall with its file.
  void settle(std::int64_t faults, const RunSummary& summary, bool as_undisturbed) {
    injected_ += faults;
    lost_ += summary.rejected + summary.failed - refused_;
    if (as_undisturbed && check_results(output()).problems.empty()) survived_ += faults;
    std::filesystem::remove(output());
  }

  std::string what_;
  std::int64_t refused_ = 0;  // by the manifest

 private:
  std::int64_t injected_ = 0;
  std::int64_t survived_ = 0;
  std::int64_t lost_ = 0;
};

struct Way {
  const char* name;
  const char* devices;
  bool ahead = false;
};

class EveryFaultOfWayTest : public EveryFaultTest, public testing::WithParamInterface<Way> {
 protected:
  void SetUp() override {
    if (devices() == "cuda") PLEAT_SKIP_WITHOUT(at::Device(at::kCUDA));
    ahead_ = GetParam().ahead;
  }
  [[nodiscard]] static std::string devices() { return GetParam().devices; }
  [[nodiscard]] static std::string told(const std::string& what) { return what + " (" + GetParam().name + ")"; }
};

std::string name_of(const testing::TestParamInfo<Way>& tested) { return tested.param.name; }

class OneDeviceTest : public EveryFaultOfWayTest {};
INSTANTIATE_TEST_SUITE_P(Ways, OneDeviceTest,
                         testing::Values(Way{"cpu", "cpu"}, Way{"ahead", "cpu", true}, Way{"cuda", "cuda"}), name_of);

class TwoDevicesTest : public EveryFaultOfWayTest {};
INSTANTIATE_TEST_SUITE_P(Ways, TwoDevicesTest, testing::Values(Way{"cpu", "cpu*2"}, Way{"ahead", "cpu*2", true}),
                         name_of);

TEST_P(TwoDevicesTest, OneIsLostAtEachBatch) {
  what_ = told("one of two devices lost, at each batch");
  const Numbers expected = undisturbed_means();
  const std::int64_t batches = calls_of(embedding(devices()));
  ASSERT_GT(batches, 5);
  for (std::int64_t fatal = 1; fatal <= batches; ++fatal) {
    std::atomic<std::int64_t> calls = 0;
    const RunSummary summary = run(embedding(devices()), [&](const Rows&, const Effort&) {
      if (++calls == fatal) throw DeviceLost("fell off the bus");
    });
    ASSERT_GE(calls, fatal);
    settle(1, summary, means() == expected);
  }
}

TEST_P(OneDeviceTest, IsLostAtEachBatch) {
  what_ = told("the only device lost, at each batch, and the run resumed");
  const Numbers expected = undisturbed_means(devices());
  const std::int64_t batches = calls_of(embedding(devices()));
  for (std::int64_t fatal = 1; fatal <= batches; ++fatal) {
    std::int64_t calls = 0;
    const auto fault = [&](const Rows&, const Effort&) {
      if (++calls == fatal) throw DeviceLost("fell off the bus");
    };
    EXPECT_THROW(run(embedding(devices()), fault), Error);
    const RunSummary summary = run(embedding(devices()), fault);
    settle(1, summary, means() == expected);
  }
}

TEST_P(OneDeviceTest, HasMemoryForSmallBatchesOnly) {
  what_ = told("no memory for batches of more than 1, 2 and 3 sequences");
  const Numbers expected = undisturbed_means(devices());
  for (const std::size_t most : {1U, 2U, 3U}) {
    std::int64_t faults = 0;
    const RunSummary summary = run(embedding(devices()), [&](const Rows& rows, const Effort&) {
      if (rows.size() <= most) return;
      ++faults;
      throw OutOfMemory();
    });
    settle(faults, summary, means() == expected);
  }
}

TEST_F(EveryFaultTest, MemoryForEachSmallerChunk) {
  what_ = "no memory for folds but in a smaller chunk, each of them";
  const auto positions = [this] {
    const ResultReader reader(output());
    std::vector<Numbers> all;
    for (std::int64_t row = 0; row < reader.sequence_count(); ++row) all.push_back(reader.structure(row).positions);
    return all;
  };
  refused_ = run(folding()).rejected;
  const std::vector<Numbers> expected = positions();
  std::filesystem::remove(output());
  std::set<std::int64_t> chunks;
  run(folding(), [&](const Rows&, const Effort& effort) {
    if (effort.chunk_size > 0) chunks.insert(effort.chunk_size);
    throw OutOfMemory();
  });
  std::filesystem::remove(output());
  ASSERT_FALSE(chunks.empty());
  for (const std::int64_t largest : chunks) {
    std::int64_t faults = 0;
    const RunSummary summary = run(folding(), [&](const Rows&, const Effort& effort) {
      if (effort.chunk_size > 0 && effort.chunk_size <= largest) return;
      ++faults;
      throw OutOfMemory();
    });
    settle(faults, summary, positions() == expected);
  }
}

TEST_P(TwoDevicesTest, OneHangsAtEachOfTheFirstBatches) {
  what_ = told("one of two devices hanging, at each of the first batches");
  const Numbers expected = undisturbed_means();
  for (std::int64_t fatal = 1; fatal <= 3; ++fatal) {
    const auto gate = std::make_shared<Gate>();
    const auto calls = std::make_shared<std::atomic<std::int64_t>>(0);
    const RunSummary summary = run(embedding(devices()), [gate, calls, fatal](const Rows&, const Effort&) {
      if (++*calls == fatal) gate->wait();
    });
    ASSERT_GE(*calls, fatal);
    settle(1, summary, means() == expected);
    gate->open();
  }
}

}  // namespace
}  // namespace pleat
