// Whole runs on devices that fail: lost, out of memory, hanging. What they leave, and what comes of it.
#include <algorithm>
#include <atomic>
#include <csignal>

#include "core/error.h"
#include "core/stop.h"
#include "faulty_run.h"
#include "store/schema.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Rows = Wrapped::Rows;

TEST_F(FaultyRunTest, ALostDeviceCostsNothing) {
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

TEST_F(FaultyRunTest, WithNoDeviceLeftALaterRunGoesOn) {
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
TEST_F(FaultyRunTest, APoisonousSequenceIsGivenUpAfterTwoDevices) {
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

TEST_F(FaultyRunTest, TheRungIsRecorded) {
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

TEST_F(FaultyRunTest, AFoldGoesDownToASmallerChunkWithTheSameNumbers) {
  run(folding());
  const std::vector<float> expected = ResultReader(output()).structure(1).positions;
  fs::remove(output());
  run(folding(), [](const Rows&, const Effort& effort) {
    if (effort.chunk_size == 0) throw OutOfMemory();
  });
  const ResultReader reader(output());
  EXPECT_EQ(reader.structure(1).positions, expected);
  EXPECT_EQ(reader.floats(schema::record_memory_rung, 1, 1).front(), 2);
  expect_good_file();
}

TEST_F(FaultyRunTest, AHangingDeviceIsLeftBehind) {
  const std::vector<float> expected = undisturbed_means();
  const auto gate = std::make_shared<Gate>();
  const auto calls = std::make_shared<std::atomic<int>>(0);
  const RunSummary summary = run(embedding("cpu*2"), [gate, calls](const Rows&, const Effort&) {
    if (++*calls == 3) gate->wait();
  });
  EXPECT_EQ(summary.ok, sequences);
  EXPECT_EQ(means(), expected);
  EXPECT_THAT(listener_.heard, ::testing::Contains(HasSubstr("it hangs")));
  expect_good_file();
  gate->open();
}

// What was being computed when a signal came is computed last by the next run, alone, and nothing else is put off.
TEST_F(FaultyRunTest, WhatASignalInterruptsComesLast) {
  const std::vector<float> expected = undisturbed_means();
  constexpr std::int64_t longest = sequences - 1;
  StopFlag signal = 0;
  stop_ = &signal;
  const auto interrupt = [&](const Rows& rows, const Effort&) {
    if (std::ranges::count(rows, longest) == 0) return;
    signal = SIGTERM;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));  // until the devices have been told
  };
  EXPECT_THROW(run(embedding("cpu"), interrupt), Stopped);
  signal = 0;
  std::vector<Rows> computed;
  const RunSummary summary = run(embedding("cpu"), [&](const Rows& rows, const Effort&) { computed.push_back(rows); });
  EXPECT_EQ(summary.ok, sequences);
  ASSERT_GT(computed.size(), 2U);
  EXPECT_EQ(computed.back(), Rows{longest});
  EXPECT_EQ(means(), expected);
}

}  // namespace
}  // namespace pleat
