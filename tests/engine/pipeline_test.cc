// Several devices: everything is computed once, whatever happens to them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <latch>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "gate.h"
#include "run.h"

namespace pleat {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::SizeIs;
using Rows = std::vector<std::int64_t>;

double same(std::int64_t /*row*/) { return 1; }

TEST(PipelineTest, EveryRowComesOnceFromOneOfTheDevices) {
  Bench bench;
  std::latch all_at_work(4);
  for (int i = 0; i < 4; ++i) {
    bench.add([&, first = true](const Rows&, const Effort&) mutable {
      if (std::exchange(first, false)) all_at_work.arrive_and_wait();
    });
  }
  const PipelineOutcome outcome = bench.run(job_of(100, same, 3));
  EXPECT_EQ(outcome.end, PipelineEnd::all_done);
  EXPECT_THAT(bench.collected.results, SizeIs(100));
  EXPECT_FALSE(bench.collected.twice);
  std::set<std::string> names;
  for (const auto& [row, result] : bench.collected.results) names.insert(result.device);
  EXPECT_THAT(names, SizeIs(4));
}

TEST(PipelineTest, NothingToDoIsDoneAtOnce) {
  Bench bench;
  bench.add();
  EXPECT_EQ(bench.run(job_of(0, same)).end, PipelineEnd::all_done);
}

TEST(PipelineTest, SecondsOfABatchAreDividedByTokens) {
  Bench bench;
  bench.clock = std::make_shared<FakeClock>();
  bench.add([&](const Rows&, const Effort&) { bench.clock->pass(20s); });
  PipelineJob job = job_of(2, same, 2);
  job.tokens = {30, 10};
  job.batches[0].tokens = 40;
  bench.run(job);
  EXPECT_NEAR(bench.collected.results[0].seconds, 15, 1e-6);
  EXPECT_NEAR(bench.collected.results[1].seconds, 5, 1e-6);
}

// Whichever batch takes a device with it, another device computes it.
TEST(PipelineTest, ADeviceLostAtAnyBatch) {
  constexpr std::int64_t batches = 20;
  for (std::int64_t fatal = 0; fatal < batches; ++fatal) {
    Bench bench;
    std::atomic<bool> happened = false;
    for (int i = 0; i < 2; ++i) {
      bench.add([&](const Rows& rows, const Effort&) {
        if (rows[0] / 2 == fatal && !happened.exchange(true)) throw DeviceLost("fell off the bus");
      });
    }
    EXPECT_EQ(bench.run(job_of(2 * batches, same, 2)).end, PipelineEnd::all_done);
    EXPECT_THAT(bench.collected.results, SizeIs(2 * batches));
    EXPECT_FALSE(bench.collected.twice);
    EXPECT_EQ(bench.collected.failed(), 0);
    EXPECT_THAT(bench.collected.lost, SizeIs(1));
    EXPECT_THAT(bench.collected.lost_rows, ElementsAre(2 * fatal, 2 * fatal + 1));
  }
}

TEST(PipelineTest, ARowThatCostsTwoDevicesIsGivenUp) {
  Bench bench;
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

TEST(PipelineTest, WithNoDeviceLeftItEnds) {
  Bench bench;
  for (int i = 0; i < 2; ++i) {
    bench.add([&, done = 0](const Rows&, const Effort&) mutable {
      if (++done == 3) throw DeviceLost("fell off the bus");
    });
  }
  EXPECT_EQ(bench.run(job_of(40, same)).end, PipelineEnd::no_device_left);
  EXPECT_THAT(bench.collected.results, SizeIs(4));
  EXPECT_EQ(bench.collected.failed(), 0);
}

// What cost a device in an earlier run comes last, and alone.
TEST(PipelineTest, QuarantinedRowsComeLast) {
  Bench bench;
  const auto device = bench.add();
  PipelineJob job = job_of(9, same, 3);
  job.lost = {{4, 1}};
  bench.run(job);
  std::vector<Rows> calls;
  for (const FaultyDevice::Call& call : device->calls) calls.push_back(call.rows);
  EXPECT_THAT(calls, ElementsAre(Rows{0, 1, 2}, Rows{3, 5}, Rows{6, 7, 8}, Rows{4}));
}

TEST(PipelineTest, AHangingDeviceIsLeftBehind) {
  const auto gate = std::make_shared<Gate>();
  const auto hangs = std::make_shared<Gate>();
  Bench bench;
  bench.clock = std::make_shared<FakeClock>();
  bench.add([gate, hangs, calls = 0](const Rows&, const Effort&) mutable {
    if (++calls < 2) return;
    hangs->open();
    gate->wait();
  });
  bench.add([hangs](const Rows&, const Effort&) { hangs->wait(); });
  // Time passes once nobody else has anything to do.
  bench.collected.on_take = [&](const SequenceResult&) {
    if (bench.collected.results.size() == 48) bench.clock->run(900ms);
  };
  bench.collected.on_lost = [&] { bench.clock->stop(); };
  PipelineJob job = job_of(50, same);
  job.batch_timeout = 30;
  const PipelineOutcome outcome = bench.run(job);
  EXPECT_EQ(outcome.end, PipelineEnd::all_done);
  EXPECT_EQ(outcome.hanging, 1);
  EXPECT_THAT(bench.collected.results, SizeIs(50));
  EXPECT_FALSE(bench.collected.twice);
  EXPECT_THAT(bench.collected.lost, ElementsAre("d:0: it hangs"));
  gate->open();
  bench.wait_until_left(0);
  EXPECT_THAT(bench.collected.results, SizeIs(50));  // what it brings now is dropped
}

TEST(PipelineTest, AStopDropsWhatIsUnderWay) {
  Bench bench;
  for (int i = 0; i < 3; ++i) {
    bench.add([&bench](const Rows& rows, const Effort&) {
      if (rows[0] >= 5) work_until_stopped(*bench.halt);
    });
  }
  bench.collected.on_take = [&](const SequenceResult& result) {
    if (result.row == 4) bench.stop->request_signal(15);
  };
  try {
    bench.run(job_of(20, same));
    ADD_FAILURE() << "it was not stopped";
  } catch (const Stopped& stopped) {
    EXPECT_EQ(stopped.signal(), 15);
  }
  EXPECT_THAT(bench.collected.results, SizeIs(5));
}

TEST(PipelineTest, AStopDoesNotWaitForADeviceThatHangs) {
  const auto gate = std::make_shared<Gate>();
  Bench bench;
  bench.clock = std::make_shared<FakeClock>();
  bench.add([gate, &bench](const Rows&, const Effort&) {
    bench.stop->request_signal(2);
    bench.clock->run(500ms);
    gate->wait();
  });
  const auto start = bench.clock->now();
  EXPECT_THROW(bench.run(job_of(3, same)), Stopped);
  EXPECT_GT(bench.clock->now() - start, 8s);
  gate->open();
  bench.wait_until_left(0);
}

// Devices that are lost have something to tell the consumer, which is long at one result.
TEST(PipelineTest, SignalAndDeadlineAreNoticedWhileTheConsumerIsSlow) {
  for (const bool by_signal : {true, false}) {
    Bench bench;
    for (int i = 0; i < 4; ++i) {
      bench.add([i, calls = 0](const Rows&, const Effort&) mutable {
        if (++calls == 2 && i < 3) throw DeviceLost("fell off the bus");
      });
    }
    bench.clock = std::make_shared<FakeClock>();
    PipelineJob job = job_of(100, same);
    job.patience_after_cancel = 1e9;
    if (!by_signal) job.deadline = bench.clock->now() + 1h;
    // For ever, if nobody but the consumer could notice: devices wait for it to take what they have finished.
    bench.collected.on_take = [&](const SequenceResult&) {
      if (by_signal) bench.stop->request_signal(15);
      bench.clock->run(10min);
      for (std::size_t device = 0; device < bench.devices.size(); ++device) bench.wait_until_left(device);
    };
    if (by_signal) {
      EXPECT_THROW(bench.run(job), Stopped);
    } else {
      EXPECT_EQ(bench.run(job).end, PipelineEnd::no_time_left);
    }
  }
}

TEST(PipelineTest, AConsumerThatFailsEndsTheRunAtOnce) {
  Bench bench;
  for (int i = 0; i < 2; ++i) {
    bench.add([&bench](const Rows& rows, const Effort&) {
      if (rows[0] >= 5) work_until_stopped(*bench.halt);
    });
  }
  bench.collected.on_take = [](const SequenceResult& result) {
    if (result.row == 3) throw Error(ErrorCode::retry, "the disk is full");
  };
  EXPECT_THROW(bench.run(job_of(20, same)), Error);
}

TEST(PipelineTest, BeginsNoBatchThatWouldNotEndInTime) {
  Bench bench;
  bench.clock = std::make_shared<FakeClock>();
  bench.add([&bench](const Rows& rows, const Effort&) {
    bench.clock->pass(FakeClock::Seconds(rows[0] == 0 ? 20 : rows[0] < 4 ? 40 : 2));
  });
  // The first shows the pace; the next three cost twice as much, and time is left for one of them and small ones.
  PipelineJob job = job_of(12, [](std::int64_t row) { return row == 0 ? 10 : row < 4 ? 20 : 1; });
  job.deadline = bench.clock->now() + 95s;
  EXPECT_EQ(bench.run(job).end, PipelineEnd::no_time_left);
  EXPECT_LT(bench.clock->now(), job.deadline);
  EXPECT_TRUE(bench.collected.results.contains(1));
  EXPECT_FALSE(bench.collected.results.contains(2));
  EXPECT_TRUE(bench.collected.results.contains(11));
}

TEST(PipelineTest, DropsABatchThatIsNotDoneInTime) {
  Bench bench;
  bench.clock = std::make_shared<FakeClock>();
  PipelineJob job = job_of(3, same);
  job.deadline = bench.clock->now() + 1h;
  job.patience_after_cancel = 1e9;
  bench.add([&bench](const Rows&, const Effort&) {
    bench.clock->run(10min);
    work_until_stopped(*bench.halt);
  });
  EXPECT_EQ(bench.run(job).end, PipelineEnd::no_time_left);
  EXPECT_THAT(bench.collected.results, SizeIs(0));
}

// Makes so many threads, and then no more, once the others are through.
ThreadMaker maker_of(int threads, const std::function<bool()>& others_are_through) {
  return [=, made = 0](std::function<void()> body) mutable -> std::thread {
    if (made++ < threads) return make_thread(std::move(body));
    while (!others_are_through()) std::this_thread::yield();
    throw std::system_error(EAGAIN, std::generic_category());
  };
}

TEST(PipelineTest, WithTooFewThreadsSomeDevicesDoTheWork) {
  Bench bench;
  std::atomic<int> computed = 0;
  for (int i = 0; i < 64; ++i) bench.add([&](const Rows&, const Effort&) { ++computed; });
  const auto all = [&] { return computed == 100; };
  EXPECT_EQ(bench.run(job_of(100, same), maker_of(3, all)).end, PipelineEnd::all_done);
  EXPECT_THAT(bench.collected.results, SizeIs(100));
  ASSERT_THAT(bench.collected.warnings, SizeIs(1));
  EXPECT_THAT(bench.collected.warnings[0], ::testing::HasSubstr("62 of 64 devices (Resource temporarily unavailable)"));
}

TEST(PipelineTest, WithNoThreadItIsWorthRetrying) {
  for (const int threads : {0, 1}) {
    Bench bench;
    bench.add();
    bench.add();
    try {
      bench.run(job_of(10, same), maker_of(threads, [] { return true; }));
      FAIL() << "it ran";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::retry);
      EXPECT_THAT(error.what(), ::testing::HasSubstr("Resource temporarily unavailable"));
      EXPECT_THAT(error.hint(), ::testing::HasSubstr("pids.max"));
    }
    EXPECT_THAT(bench.collected.results, SizeIs(0));
  }
}

// Sanitizers need all addresses.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PLEAT_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PLEAT_SANITIZED
#endif
#endif

#ifndef PLEAT_SANITIZED
// Leaves room in the address space for the stacks of a few threads.
void leave_little_room() {
  std::int64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const rlim_t bytes = pages * ::sysconf(_SC_PAGESIZE) + (160U << 20U);
  const rlimit limit{bytes, bytes};
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &limit), 0);
}

TEST(PipelineDeathTest, WhenTheSystemGivesTooFewThreadsSomeDevicesDoTheWork) {
  const auto run = [] {
    Bench bench;
    for (int i = 0; i < 64; ++i) bench.add([](const Rows&, const Effort&) { std::this_thread::sleep_for(5ms); });
    leave_little_room();
    const bool all = bench.run(job_of(200, same)).end == PipelineEnd::all_done;
    std::_Exit(all && bench.collected.results.size() == 200 && bench.collected.warnings.size() == 1 ? 7 : 1);
  };
  EXPECT_EXIT(run(), ::testing::ExitedWithCode(7), "");
}
#endif

TEST(PipelineTest, TheConsumerIsCalledWhileNothingComes) {
  Bench bench;
  bench.add([&](const Rows&, const Effort&) {
    while (bench.collected.idle_calls < 2) std::this_thread::yield();
  });
  EXPECT_EQ(bench.run(job_of(1, same)).end, PipelineEnd::all_done);
}

}  // namespace
}  // namespace pleat
