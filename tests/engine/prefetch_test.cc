// Devices that are told of the next batch before the results of the one before are taken from them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <mutex>
#include <set>
#include <utility>

#include "gate.h"
#include "in_order.h"
#include "run.h"

namespace pleat {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::SizeIs;
using Rows = std::vector<std::int64_t>;

double same(std::int64_t /*row*/) { return 1; }

class PrefetchingDevice : public FaultyDevice {
 public:
  using FaultyDevice::FaultyDevice;

  [[nodiscard]] bool prefetches() const override { return true; }
  [[nodiscard]] Pending begin(const Rows& rows) override {
    note("begin", rows);
    if (fault_at_once) fault_at_once(rows);
    return [this, rows, results = in_order_.begin([this, rows] { return compute(rows, {}); })] {
      note("take", rows);
      return results();
    };
  }

  std::function<void(const Rows& rows)> fault_at_once;    // what it throws is thrown by begin()
  std::vector<std::pair<std::string, std::int64_t>> log;  // what is done to it, and the first of the rows
  std::atomic<std::size_t> log_size = 0;                  // for other threads

 private:
  void note(const char* what, const Rows& rows) {
    log.emplace_back(what, rows[0]);
    ++log_size;
  }

  InOrder in_order_;
};

struct PrefetchBench : Bench {
  std::shared_ptr<PrefetchingDevice> add(FaultyDevice::Fault fault = {}) {
    return Bench::add<PrefetchingDevice>(std::move(fault));
  }

  void expect_all(std::size_t rows) const {
    EXPECT_THAT(collected.results, SizeIs(rows));
    EXPECT_FALSE(collected.twice);
    EXPECT_EQ(collected.failed(), 0);
  }
};

TEST(PrefetchTest, TheNextBatchIsBegunBeforeResultsAreTaken) {
  PrefetchBench bench;
  const auto device = bench.add();
  EXPECT_EQ(bench.run(job_of(4, same)).end, PipelineEnd::all_done);
  EXPECT_THAT(device->log, ElementsAre(Pair("begin", 0), Pair("begin", 1), Pair("take", 0), Pair("begin", 2),
                                       Pair("take", 1), Pair("begin", 3), Pair("take", 2), Pair("take", 3)));
  bench.expect_all(4);
}

TEST(PrefetchTest, EveryRowComesOnceFromOneOfTheDevices) {
  PrefetchBench bench;
  for (int i = 0; i < 4; ++i) bench.add();
  EXPECT_EQ(bench.run(job_of(100, same, 3)).end, PipelineEnd::all_done);
  bench.expect_all(100);
}

TEST(PrefetchTest, NoSecondIsCountedTwice) {
  PrefetchBench bench;
  bench.clock = std::make_shared<FakeClock>();
  bench.add([&](const Rows&, const Effort&) { bench.clock->pass(5s); });
  bench.run(job_of(20, same));
  double counted = 0;
  for (const auto& [row, result] : bench.collected.results) counted += result.seconds;
  EXPECT_NEAR(counted, 20 * 5, 1e-6);
}

// Which of the batches that it had begun has cost the device, nobody knows.
TEST(PrefetchTest, ADeviceLostAtAnyBatch) {
  constexpr std::int64_t batches = 12;
  for (std::int64_t fatal = 0; fatal < batches; ++fatal) {
    PrefetchBench bench;
    std::atomic<bool> happened = false;
    for (int i = 0; i < 2; ++i) {
      bench.add([&](const Rows& rows, const Effort&) {
        if (rows[0] / 2 == fatal && !happened.exchange(true)) throw DeviceLost("fell off the bus");
      });
    }
    EXPECT_EQ(bench.run(job_of(2 * batches, same, 2)).end, PipelineEnd::all_done);
    bench.expect_all(2 * batches);
    EXPECT_THAT(bench.collected.lost, SizeIs(1));
    EXPECT_THAT(bench.collected.lost_rows, Contains(2 * fatal));
    EXPECT_THAT(bench.collected.lost_rows, SizeIs(::testing::AnyOf(2, 4)));
  }
}

// What was under way beside it is not given up with it: in quarantine nothing is computed beside a row.
TEST(PrefetchTest, OnlyTheRowThatCostsTwoDevicesIsGivenUp) {
  PrefetchBench bench;
  for (int i = 0; i < 3; ++i) {
    bench.add([](const Rows& rows, const Effort&) {
      if (std::ranges::count(rows, 5) > 0) throw DeviceLost("fell off the bus");
    });
  }
  EXPECT_EQ(bench.run(job_of(40, same, 4)).end, PipelineEnd::all_done);
  EXPECT_THAT(bench.collected.results, SizeIs(40));
  EXPECT_EQ(bench.collected.failed(), 1);
  EXPECT_EQ(bench.collected.results[5].error_code, "device_lost");
  EXPECT_THAT(bench.collected.lost, SizeIs(2));
}

TEST(PrefetchTest, QuarantinedRowsOfAnEarlierRunHaveTheDeviceForThemselves) {
  PrefetchBench bench;
  const auto device = bench.add();
  PipelineJob job = job_of(4, same);
  job.lost = {{1, 1}, {2, 1}};
  bench.run(job);
  EXPECT_THAT(device->log, ElementsAre(Pair("begin", 0), Pair("begin", 3), Pair("take", 0), Pair("take", 3),
                                       Pair("begin", 1), Pair("take", 1), Pair("begin", 2), Pair("take", 2)));
}

TEST(PrefetchTest, AHangingDevicesBatchesAreAllComputedByAnother) {
  PrefetchBench bench;
  const auto gate = std::make_shared<Gate>();
  const auto holds_two = std::make_shared<Gate>();
  bench.clock = std::make_shared<FakeClock>();
  const auto hanging = bench.add([gate, calls = 0](const Rows&, const Effort&) mutable {
    if (++calls == 3) gate->wait();
  });
  hanging->fault_at_once = [holds_two, begun = 0](const Rows&) mutable {
    if (++begun == 4) holds_two->open();
  };
  bench.add([holds_two](const Rows&, const Effort&) { holds_two->wait(); });
  // Time passes once nobody else has anything to do.
  bench.collected.on_take = [&](const SequenceResult&) {
    if (bench.collected.results.size() == 47) bench.clock->run(900ms);
  };
  bench.collected.on_lost = [&] { bench.clock->stop(); };
  PipelineJob job = job_of(50, same);
  job.batch_timeout = 30;
  const PipelineOutcome outcome = bench.run(job);
  EXPECT_EQ(outcome.end, PipelineEnd::all_done);
  EXPECT_EQ(outcome.hanging, 1);
  bench.expect_all(50);
  EXPECT_THAT(bench.collected.lost, ElementsAre("d:0: it hangs"));
  EXPECT_THAT(bench.collected.lost_rows, SizeIs(2));
  gate->open();
  bench.wait_until_left(0, 2);
}

TEST(PrefetchTest, WhatFailsWhenItIsBegunGoesDownTheLadder) {
  PrefetchBench bench;
  bench.add()->fault_at_once = [](const Rows& rows) {
    if (rows.size() > 2) throw OutOfMemory();
    if (rows[0] == 6 && rows.size() == 2) throw std::runtime_error("odd");
  };
  EXPECT_EQ(bench.run(job_of(8, same, 4)).end, PipelineEnd::all_done);
  bench.expect_all(8);
  EXPECT_EQ(bench.collected.results[0].rung, MemoryRung::smaller_batch);
  EXPECT_EQ(bench.collected.results[0].attempts, 2);
  EXPECT_EQ(bench.collected.results[7].attempts, 3);
}

// A row that does not fit beside the batch before is tried alone before it fails.
TEST(PrefetchTest, ARowThatDoesNotFitBesideAnotherIsTriedAlone) {
  PrefetchBench bench;
  const auto device = bench.add();
  device->fault_at_once = [&](const Rows& rows) {
    const bool beside = std::ranges::any_of(device->log, [&](const auto& entry) {
      const auto& [what, row] = entry;
      return row != 3 && std::ranges::count(device->log, std::pair(std::string("take"), row)) == 0;
    });
    if (rows[0] == 3 && beside) throw OutOfMemory();
  };
  EXPECT_EQ(bench.run(job_of(8, same)).end, PipelineEnd::all_done);
  bench.expect_all(8);
  EXPECT_EQ(bench.collected.results[3].attempts, 2);
  EXPECT_EQ(bench.collected.results[3].rung, MemoryRung::smaller_batch);
  EXPECT_EQ(bench.collected.results[4].attempts, 1);
}

// Nor does it fail for whatever else went wrong beside another.
TEST(PrefetchTest, ARowThatFailsBesideAnotherIsTriedAlone) {
  PrefetchBench bench;
  const auto device = bench.add();
  device->fault_at_once = [failed = false](const Rows& rows) mutable {
    if (rows[0] == 3 && !std::exchange(failed, true)) throw std::runtime_error("odd");
  };
  EXPECT_EQ(bench.run(job_of(8, same)).end, PipelineEnd::all_done);
  bench.expect_all(8);
  EXPECT_EQ(bench.collected.results[3].attempts, 2);
  EXPECT_EQ(bench.collected.results[3].rung, MemoryRung::planned);
}

// They stall beyond the limit while the consumer is slow, and come back when they have been given up, before it has
// heard of it.
TEST(PrefetchTest, DevicesThatComeBackKeepNothing) {
  PrefetchBench bench;
  bench.clock = std::make_shared<FakeClock>();
  Gate gate;
  std::mutex mutex;
  std::set<std::int64_t> stalled_rows;
  std::latch stalled(2);
  for (int i = 0; i < 2; ++i) {
    bench.add()->fault_at_once = [&, first = true](const Rows& rows) mutable {
      if (!std::exchange(first, false)) return;
      {
        const std::scoped_lock lock(mutex);
        stalled_rows.insert(rows[0]);
      }
      stalled.count_down();
      gate.wait();
    };
  }
  // It gets their rows once they have been given up, and holds one of them until they have come back and left.
  bench.add([&](const Rows& rows, const Effort&) {
    stalled.wait();
    if (!stalled_rows.contains(rows[0])) return;
    bench.clock->stop();
    gate.open();
    for (const std::size_t device : {0U, 1U}) bench.wait_until_left(device);
  });
  PipelineJob job = job_of(100, same);
  job.batch_timeout = 30;
  bench.collected.on_take = [&](const SequenceResult&) {
    // The sound device has nothing under way: what it held is here, or waits to be taken.
    if (bench.collected.results.size() != 97) return;
    bench.clock->run(900ms);
    gate.wait();
  };
  const PipelineOutcome outcome = bench.run(job);
  EXPECT_EQ(outcome.end, PipelineEnd::all_done);
  EXPECT_EQ(outcome.hanging, 0) << "their threads have ended";
  bench.expect_all(100);
  EXPECT_THAT(bench.collected.lost, ::testing::UnorderedElementsAre("d:0: it hangs", "d:1: it hangs"));
}

TEST(PrefetchTest, ALostDeviceThatIsNoticedWhenABatchIsBegun) {
  PrefetchBench bench;
  std::atomic<bool> is_lost = false;
  const auto first = bench.add();
  first->fault_at_once = [&](const Rows&) {
    if (first->log.size() <= 4) return;
    is_lost = true;
    throw DeviceLost("fell off the bus");
  };
  bench.add([&](const Rows&, const Effort&) {
    while (!is_lost) std::this_thread::yield();
  });
  EXPECT_EQ(bench.run(job_of(20, same)).end, PipelineEnd::all_done);
  bench.expect_all(20);
  EXPECT_THAT(bench.collected.lost, ElementsAre("d:0: fell off the bus"));
}

TEST(PrefetchTest, WhatIsUnderWayCountsBeforeTheDeadline) {
  PrefetchBench bench;
  bench.clock = std::make_shared<FakeClock>();
  Gate first_is_taken;
  const auto device = bench.add([&](const Rows& rows, const Effort&) {
    if (rows[0] > 0) first_is_taken.wait();
    bench.clock->pass(rows[0] == 0 ? 30s : 60s);
  });
  bench.collected.on_take = [&](const SequenceResult&) { first_is_taken.open(); };
  // The first shows the pace, while the second is under way; then one more would fit by itself, and does not after it.
  PipelineJob job = job_of(3, [](std::int64_t row) { return row == 0 ? 10 : 20; });
  job.deadline = bench.clock->now() + 130s;
  EXPECT_EQ(bench.run(job).end, PipelineEnd::no_time_left);
  EXPECT_LT(bench.clock->now(), job.deadline);
  EXPECT_THAT(bench.collected.results, SizeIs(2));
  EXPECT_THAT(device->log, ElementsAre(Pair("begin", 0), Pair("begin", 1), Pair("take", 0), Pair("take", 1)));
}

TEST(PrefetchTest, AStopDropsWhatIsUnderWay) {
  PrefetchBench bench;
  bench.add([&bench](const Rows& rows, const Effort&) {
    if (rows[0] >= 5) work_until_stopped(*bench.halt);
  });
  bench.collected.on_take = [&](const SequenceResult& result) {
    if (result.row == 4) bench.stop->request_signal(15);
  };
  EXPECT_THROW(bench.run(job_of(20, same)), Stopped);
  EXPECT_THAT(bench.collected.results, SizeIs(5));
}

TEST(PrefetchTest, AConsumerThatFailsEndsTheRunAtOnce) {
  PrefetchBench bench;
  for (int i = 0; i < 2; ++i) {
    bench.add([&bench](const Rows& rows, const Effort&) {
      if (rows[0] >= 5) work_until_stopped(*bench.halt);
    });
  }
  bench.collected.on_take = [](const SequenceResult& result) {
    if (result.row == 3) throw std::runtime_error("the disk is full");
  };
  EXPECT_THROW(bench.run(job_of(20, same)), std::runtime_error);
}

}  // namespace
}  // namespace pleat
