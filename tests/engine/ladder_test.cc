// Out of memory at each rung, and failures that belong to one sequence.
#include "engine/ladder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "faulty_device.h"

namespace pleat {
namespace {

using ::testing::ElementsAre;
using Rows = std::vector<std::int64_t>;

std::vector<MemoryRung> rungs_of(const std::vector<SequenceResult>& results) {
  std::vector<MemoryRung> rungs;
  for (const SequenceResult& result : results) rungs.push_back(result.rung);
  return rungs;
}

std::vector<std::int32_t> attempts_of(const std::vector<SequenceResult>& results) {
  std::vector<std::int32_t> attempts;
  for (const SequenceResult& result : results) attempts.push_back(result.attempts);
  return attempts;
}

std::vector<std::string> codes_of(const std::vector<SequenceResult>& results) {
  std::vector<std::string> codes;
  for (const SequenceResult& result : results) codes.push_back(result.failed ? result.error_code : "ok");
  return codes;
}

FaultyDevice device_that_holds(std::size_t rows) {
  return FaultyDevice("d", [rows](const Rows& given, const Effort&) {
    if (given.size() > rows) throw OutOfMemory();
  });
}

TEST(LadderTest, WhatFitsIsComputedOnce) {
  FaultyDevice device("d");
  const auto results = Ladder(device, false).compute({4, 1, 3});
  EXPECT_THAT(codes_of(results), ElementsAre("ok", "ok", "ok"));
  EXPECT_EQ(results[0].row, 4);
  EXPECT_EQ(results[2].row, 3);
  EXPECT_THAT(attempts_of(results), ElementsAre(1, 1, 1));
  EXPECT_EQ(device.calls.size(), 1U);
}

TEST(LadderTest, ABatchIsHalvedUntilItFits) {
  FaultyDevice device = device_that_holds(2);
  const auto results = Ladder(device, false).compute({9, 8, 7, 6, 5});
  EXPECT_THAT(codes_of(results), ElementsAre("ok", "ok", "ok", "ok", "ok"));
  EXPECT_EQ(results[3].row, 6);
  EXPECT_THAT(rungs_of(results), ::testing::Each(MemoryRung::smaller_batch));
  EXPECT_THAT(attempts_of(results), ElementsAre(2, 2, 3, 3, 3));
}

TEST(LadderTest, ThenTheChunkGetsSmaller) {
  FaultyDevice device("d", [](const Rows&, const Effort& effort) {
    if (effort.chunk_size == 0 || effort.chunk_size > 16) throw OutOfMemory();
  });
  device.chunks = {64, 32, 16};
  const auto results = Ladder(device, false).compute({3});
  EXPECT_THAT(codes_of(results), ElementsAre("ok"));
  EXPECT_THAT(rungs_of(results), ElementsAre(MemoryRung::smaller_chunk));
  EXPECT_THAT(attempts_of(results), ElementsAre(4));
}

TEST(LadderTest, OneFoldThatDoesNotFitLeavesTheOthersAlone) {
  FaultyDevice device("d");
  device.chunks = {32, 16};
  device.unfoldable = {2};
  device.foldable_at = 16;
  const auto results = Ladder(device, false).compute({1, 2, 3});
  EXPECT_THAT(codes_of(results), ElementsAre("ok", "ok", "ok"));
  EXPECT_THAT(rungs_of(results), ElementsAre(MemoryRung::planned, MemoryRung::smaller_chunk, MemoryRung::planned));
  EXPECT_THAT(attempts_of(results), ElementsAre(1, 3, 1));
}

TEST(LadderTest, LowerPrecisionOnlyWhereAllowed) {
  for (const bool allowed : {false, true}) {
    FaultyDevice device("d", [](const Rows&, const Effort& effort) {
      if (!effort.lower_precision) throw OutOfMemory();
      EXPECT_EQ(effort.chunk_size, 16);
    });
    device.chunks = {16};
    device.lower_precision = true;
    const auto results = Ladder(device, allowed).compute({5});
    EXPECT_EQ(results[0].failed, !allowed);
    EXPECT_EQ(results[0].rung, allowed ? MemoryRung::lower_precision : MemoryRung::planned);
    EXPECT_EQ(results[0].attempts, allowed ? 3 : 2);
  }
}

TEST(LadderTest, AtItsEndTheRecordSaysWhatWasNeeded) {
  FaultyDevice device("d", [](const Rows& rows, const Effort&) {
    if (rows.size() > 1 || rows[0] == 7) throw OutOfMemory();
  });
  device.chunks = {16};
  const auto results = Ladder(device, true).compute({7, 8});
  EXPECT_THAT(codes_of(results), ElementsAre("out_of_memory", "ok"));
  EXPECT_EQ(results[0].message, "there is not enough memory: row 7 needs more");
  EXPECT_EQ(results[0].attempts, 3);
}

TEST(LadderTest, BadAllocIsALackOfMemory) {
  FaultyDevice device("d", [](const Rows& rows, const Effort&) {
    if (rows.size() > 1) throw std::bad_alloc();
  });
  EXPECT_THAT(codes_of(Ladder(device, false).compute({1, 2})), ElementsAre("ok", "ok"));
}

TEST(LadderTest, AnyOtherFailureIsPinnedOnOneSequence) {
  FaultyDevice device("d", [](const Rows& rows, const Effort&) {
    if (std::ranges::count(rows, 2) > 0) throw std::runtime_error("row 2 is odd");
  });
  const auto results = Ladder(device, false).compute({1, 2, 3});
  EXPECT_THAT(codes_of(results), ElementsAre("ok", "compute_failed", "ok"));
  EXPECT_EQ(results[1].message, "row 2 is odd");
  EXPECT_THAT(attempts_of(results), ElementsAre(2, 2, 2));
}

TEST(LadderTest, ALostDeviceAndAStopAreNoFailuresOfSequences) {
  FaultyDevice lost("d", [](const Rows&, const Effort&) { throw DeviceLost("gone"); });
  EXPECT_THROW(static_cast<void>(Ladder(lost, false).compute({1, 2})), DeviceLost);
  FaultyDevice stopped("d", [](const Rows&, const Effort&) { throw Stopped(15); });
  EXPECT_THROW(static_cast<void>(Ladder(stopped, false).compute({1, 2})), Stopped);
}

}  // namespace
}  // namespace pleat
