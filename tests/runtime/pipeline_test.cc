#include "pleat/runtime/pipeline.h"

#include <ATen/ATen.h>
#include <c10/util/Exception.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <mutex>
#include <new>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace pleat {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

// Computes nothing; does `before` with each batch first, and fails where `fail` says so.
class FakeDevice : public Device {
 public:
  [[nodiscard]] std::string name() const override { return "fake:7"; }
  [[nodiscard]] std::vector<SequenceResult> compute(const std::vector<std::int64_t>& rows) override {
    asked.push_back(rows);
    before(rows);
    std::vector<SequenceResult> results;
    for (const std::int64_t row : rows) {
      SequenceResult result;
      result.row = row;
      change(result);
      results.push_back(std::move(result));
    }
    return results;
  }

  std::function<void(const std::vector<std::int64_t>&)> before = [](const auto&) {};
  std::function<void(SequenceResult&)> change = [](SequenceResult&) {};
  std::vector<std::vector<std::int64_t>> asked;
};

bool holds(const std::vector<std::int64_t>& rows, std::int64_t row) { return std::ranges::count(rows, row) > 0; }

// `count` batches of three rows each; every row has as many tokens as its number, and one more.
struct Work {
  explicit Work(std::int64_t count) : batches(count), tokens(3 * count) {
    std::iota(tokens.begin(), tokens.end(), 1);
    for (std::int64_t i = 0; i < count; ++i) {
      batches[i].rows = {3 * i, 3 * i + 1, 3 * i + 2};
      for (const std::int64_t row : batches[i].rows) batches[i].tokens += tokens[row];
    }
  }
  std::vector<Batch> batches;
  std::vector<std::int64_t> tokens;
};

std::vector<std::int64_t> rows_of(const std::vector<SequenceResult>& results) {
  std::vector<std::int64_t> rows;
  rows.reserve(results.size());
  for (const SequenceResult& result : results) rows.push_back(result.row);
  return rows;
}

class Pipeline : public testing::Test {
 protected:
  void run(const Work& work) {
    run_pipeline(
        work.batches, work.tokens, device, [&](const SequenceResult& result) { results.push_back(result); }, stop);
  }

  FakeDevice device;
  std::atomic<int> stop = 0;
  std::vector<SequenceResult> results;
};

TEST_F(Pipeline, GivesEveryResultOnceInTheOrderOfTheBatches) {
  const Work work(5000);
  run(work);
  std::vector<std::int64_t> expected(work.tokens.size());
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(rows_of(results), expected);
  EXPECT_THAT(device.asked, SizeIs(5000));
}

TEST_F(Pipeline, NoBatchesAreNoTrouble) {
  run(Work(0));
  EXPECT_THAT(results, SizeIs(0));
}

TEST_F(Pipeline, ASlowConsumerHoldsTheDeviceBack) {
  const Work work(40);
  std::atomic<int> computed = 0;
  std::atomic<int> most_ahead = 0;
  std::atomic<int> consumed = 0;
  device.before = [&](const auto&) {
    ++computed;
    most_ahead = std::max<int>(most_ahead, computed - consumed / 3);
  };
  run_pipeline(
      work.batches, work.tokens, device,
      [&](const SequenceResult&) {
        std::this_thread::sleep_for(300us);
        ++consumed;
      },
      stop);
  EXPECT_EQ(consumed, 120);
  EXPECT_LE(most_ahead, 8);  // what the queue holds, and what is in both hands
}

TEST_F(Pipeline, SharesTheSecondsOfABatchByTokens) {
  const Work work(1);
  device.before = [](const auto&) { std::this_thread::sleep_for(20ms); };
  run(work);
  ASSERT_THAT(results, SizeIs(3));
  const double sum = results[0].seconds + results[1].seconds + results[2].seconds;
  EXPECT_GE(sum, 0.020);
  EXPECT_LT(sum, 10);
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(results[i].seconds / sum, (i + 1) / 6.0, 1e-9);
  for (const SequenceResult& result : results) {
    EXPECT_EQ(result.device, "fake:7");
    EXPECT_EQ(result.attempts, 1);
    EXPECT_FALSE(result.failed);
  }
}

TEST_F(Pipeline, SecondsThatAResultClaimsAreItsOwn) {
  const Work work(1);
  device.before = [](const auto&) { std::this_thread::sleep_for(20ms); };
  device.change = [](SequenceResult& result) { result.seconds = result.row == 1 ? 0.010 : 0; };
  run(work);
  ASSERT_THAT(results, SizeIs(3));
  const double shared = results[0].seconds * 6;  // row 0 has one of six tokens
  EXPECT_NEAR(results[1].seconds, 0.010 + shared * 2 / 6, 1e-9);
  EXPECT_NEAR(results[2].seconds, shared * 3 / 6, 1e-9);
  EXPECT_GE(shared, 0.009);
}

TEST_F(Pipeline, ADeviceThatStopsEndsTheRunAndFailsNobody) {
  const Work work(3);
  device.before = [](const auto& rows) {
    if (holds(rows, 3)) throw Stopped(SIGTERM);
  };
  try {
    run(work);
    ADD_FAILURE() << "the run went on";
  } catch (const Stopped& stopped) {
    EXPECT_EQ(stopped.signal(), SIGTERM);
  }
  EXPECT_THAT(device.asked, ElementsAre(ElementsAre(0, 1, 2), ElementsAre(3, 4, 5)));
  for (const SequenceResult& result : results) EXPECT_FALSE(result.failed);
}

TEST_F(Pipeline, ADeviceThatStopsWithOneSequenceEndsTheRunToo) {
  Work work(1);
  work.batches[0].rows = {2};
  device.before = [](const auto&) { throw Stopped(SIGINT); };
  EXPECT_THROW(run(work), Stopped);
  EXPECT_THAT(results, SizeIs(0));
}

TEST_F(Pipeline, ABatchThatThrowsIsComputedOneByOneAndOnlyTheGuiltyFails) {
  const Work work(3);
  device.before = [](const auto& rows) {
    if (holds(rows, 4)) throw std::runtime_error("row 4 is bad");
  };
  run(work);
  EXPECT_THAT(device.asked, ElementsAre(ElementsAre(0, 1, 2), ElementsAre(3, 4, 5), ElementsAre(3), ElementsAre(4),
                                        ElementsAre(5), ElementsAre(6, 7, 8)));
  ASSERT_EQ(rows_of(results), (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8}));
  for (const SequenceResult& result : results) {
    EXPECT_EQ(result.failed, result.row == 4);
    EXPECT_EQ(result.attempts, result.row / 3 == 1 ? 2 : 1);
    EXPECT_EQ(result.device, "fake:7");
  }
  EXPECT_EQ(results[4].error_code, "compute_failed");
  EXPECT_EQ(results[4].message, "row 4 is bad");
}

TEST_F(Pipeline, OutOfMemoryIsToldApart) {
  const Work work(1);
  device.before = [](const auto& rows) {
    if (holds(rows, 1)) throw std::bad_alloc();
  };
  run(work);
  ASSERT_THAT(results, SizeIs(3));
  EXPECT_FALSE(results[0].failed);
  EXPECT_TRUE(results[1].failed);
  EXPECT_EQ(results[1].error_code, "out_of_memory");
  EXPECT_THAT(results[1].message, HasSubstr("memory"));
  EXPECT_FALSE(results[2].failed);
}

TEST_F(Pipeline, MemoryThatLibTorchCannotGetIsOutOfMemoryToo) {
  const Work work(1);
  std::int64_t held = 0;
  device.before = [&](const auto& rows) {
    if (holds(rows, 1)) held += at::empty({std::int64_t{1} << 58}, at::kByte).numel();
  };
  run(work);
  ASSERT_THAT(results, SizeIs(3));
  EXPECT_EQ(results[1].error_code, "out_of_memory");
  EXPECT_EQ(held, 0);
}

TEST_F(Pipeline, AnErrorOfLibTorchIsShownWithoutItsBacktrace) {
  Work work(1);
  device.before = [](const auto&) { TORCH_CHECK(false, "sizes do not match"); };
  run(work);
  ASSERT_THAT(results, SizeIs(3));
  EXPECT_EQ(results[0].error_code, "compute_failed");
  EXPECT_EQ(results[0].message, "sizes do not match");
}

TEST_F(Pipeline, ASequenceAloneIsTriedOnce) {
  Work work(1);
  work.batches[0].rows = {1};
  device.before = [](const auto&) { throw std::runtime_error("no"); };
  run(work);
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_THAT(device.asked, SizeIs(1));
  EXPECT_EQ(results[0].attempts, 1);
  EXPECT_TRUE(results[0].failed);
}

TEST_F(Pipeline, EveryBatchMayFailAndTheRunGoesOn) {
  const Work work(500);
  device.before = [](const auto&) { throw std::runtime_error("no"); };
  run(work);
  EXPECT_THAT(results, SizeIs(1500));
  for (const SequenceResult& result : results) EXPECT_TRUE(result.failed);
}

TEST_F(Pipeline, AConsumerThatThrowsEndsTheRunWithItsException) {
  const Work work(5000);
  for (const int at : {0, 1, 100, 14'999}) {
    device.asked.clear();
    int consumed = 0;
    EXPECT_THROW(run_pipeline(
                     work.batches, work.tokens, device,
                     [&](const SequenceResult&) {
                       if (consumed++ == at) throw std::invalid_argument("disk full");
                     },
                     stop),
                 std::invalid_argument);
    EXPECT_EQ(consumed, at + 1);
    EXPECT_LE(std::ssize(device.asked), at / 3 + 10);
  }
}

TEST_F(Pipeline, StopsAtASignal) {
  const Work work(5000);
  device.before = [&](const auto& rows) {
    if (rows.front() == 300) stop = SIGTERM;
  };
  try {
    run(work);
    FAIL() << "it went on";
  } catch (const Stopped& stopped) {
    EXPECT_EQ(stopped.signal(), SIGTERM);
  }
  EXPECT_LE(device.asked.size(), 101U);  // nothing was begun after it
}

TEST_F(Pipeline, ASignalBeforeTheFirstBatchComputesNothing) {
  stop = SIGINT;
  EXPECT_THROW(run(Work(10)), Stopped);
  EXPECT_THAT(device.asked, SizeIs(0));
}

TEST_F(Pipeline, ASignalDuringTheLastResultIsStillHeard) {
  const Work work(1);
  EXPECT_THROW(
      run_pipeline(work.batches, work.tokens, device, [&](const SequenceResult&) { stop = SIGINT; }, stop), Stopped);
}

TEST_F(Pipeline, OneThreadConsumes) {
  std::set<std::thread::id> threads;
  const Work work(200);
  run_pipeline(
      work.batches, work.tokens, device, [&](const SequenceResult&) { threads.insert(std::this_thread::get_id()); },
      stop);
  EXPECT_THAT(threads, SizeIs(1));
}

}  // namespace
}  // namespace pleat
