// Out of memory at each rung, and failures that belong to one sequence.
#include "engine/ladder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "run.h"

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

// The rows as one batch, computed by `device` alone.
std::vector<SequenceResult> computed(const std::shared_ptr<FaultyDevice>& device, const Rows& rows) {
  Bench bench;
  bench.devices.push_back(device);
  const std::int64_t last = *std::ranges::max_element(rows);
  PipelineJob job = job_of(last + 1, [](std::int64_t) { return 1; });
  job.batches = {job.batch_of(rows)};
  EXPECT_EQ(bench.run(job).end, PipelineEnd::all_done);
  EXPECT_FALSE(bench.collected.twice);
  EXPECT_THAT(bench.collected.results, ::testing::SizeIs(rows.size()));
  std::vector<SequenceResult> results;
  for (const std::int64_t row : rows) results.push_back(bench.collected.results.at(row));
  return results;
}

std::shared_ptr<FaultyDevice> device_with(FaultyDevice::Fault fault = {}) {
  return std::make_shared<FaultyDevice>("d", std::move(fault));
}

std::shared_ptr<FaultyDevice> device_that_holds(std::size_t rows) {
  return device_with([rows](const Rows& given, const Effort&) {
    if (given.size() > rows) throw OutOfMemory();
  });
}

TEST(LadderTest, WhatFitsIsComputedOnce) {
  const auto device = device_with();
  const auto results = computed(device, {4, 1, 3});
  EXPECT_THAT(codes_of(results), ElementsAre("ok", "ok", "ok"));
  EXPECT_EQ(results[0].row, 4);
  EXPECT_EQ(results[2].row, 3);
  EXPECT_THAT(attempts_of(results), ElementsAre(1, 1, 1));
  EXPECT_EQ(device->calls.size(), 1U);
}

TEST(LadderTest, ABatchIsHalvedUntilItFits) {
  const auto device = device_that_holds(2);
  const auto results = computed(device, {9, 8, 7, 6, 5});
  EXPECT_THAT(codes_of(results), ElementsAre("ok", "ok", "ok", "ok", "ok"));
  EXPECT_EQ(results[3].row, 6);
  EXPECT_THAT(rungs_of(results), ::testing::Each(MemoryRung::smaller_batch));
  EXPECT_THAT(attempts_of(results), ElementsAre(2, 2, 3, 3, 3));
}

TEST(LadderTest, ThenTheChunkGetsSmaller) {
  const auto device = device_with([](const Rows&, const Effort& effort) {
    if (effort.chunk_size == 0 || effort.chunk_size > 16) throw OutOfMemory();
  });
  device->chunks = {64, 32, 16};
  const auto results = computed(device, {3});
  EXPECT_THAT(codes_of(results), ElementsAre("ok"));
  EXPECT_THAT(rungs_of(results), ElementsAre(MemoryRung::smaller_chunk));
  EXPECT_THAT(attempts_of(results), ElementsAre(4));
}

TEST(LadderTest, OneFoldThatDoesNotFitLeavesTheOthersAlone) {
  const auto device = device_with();
  device->chunks = {32, 16};
  device->unfoldable = {2};
  device->foldable_at = 16;
  const auto results = computed(device, {1, 2, 3});
  EXPECT_THAT(codes_of(results), ElementsAre("ok", "ok", "ok"));
  EXPECT_THAT(rungs_of(results), ElementsAre(MemoryRung::planned, MemoryRung::smaller_chunk, MemoryRung::planned));
  EXPECT_THAT(attempts_of(results), ElementsAre(1, 3, 1));
}

TEST(LadderTest, AtItsEndTheRecordSaysWhatWasNeeded) {
  const auto device = device_with([](const Rows& rows, const Effort&) {
    if (rows.size() > 1 || rows[0] == 7) throw OutOfMemory();
  });
  device->chunks = {16};
  const auto results = computed(device, {7, 8});
  EXPECT_THAT(codes_of(results), ElementsAre("out_of_memory", "ok"));
  EXPECT_EQ(results[0].message, "there is not enough memory: row 7 needs more");
  EXPECT_EQ(results[0].attempts, 3);
}

TEST(LadderTest, BadAllocIsALackOfMemory) {
  const auto device = device_with([](const Rows& rows, const Effort&) {
    if (rows.size() > 1) throw std::bad_alloc();
  });
  EXPECT_THAT(codes_of(computed(device, {1, 2})), ElementsAre("ok", "ok"));
}

TEST(LadderTest, WhatIsNotFiniteIsComputedAgainInFloat32) {
  const auto device = device_with();
  device->not_finite = {2};
  device->float32 = true;
  const auto results = computed(device, {1, 2, 3});
  EXPECT_THAT(codes_of(results), ElementsAre("ok", "ok", "ok"));
  EXPECT_THAT(attempts_of(results), ElementsAre(1, 2, 1));
  ASSERT_EQ(device->calls.size(), 2U);
  EXPECT_THAT(device->calls[1].rows, ElementsAre(2));
  EXPECT_TRUE(device->calls[1].effort.in_float32);
}

TEST(LadderTest, WhatIsNotFiniteInFloat32EitherHasFailed) {
  const auto device = device_with();
  device->not_finite = {2};
  EXPECT_THAT(codes_of(computed(device, {1, 2})), ElementsAre("ok", "not_finite"));
  EXPECT_EQ(device->calls.size(), 1U);  // it computes in nothing else
  const PipelineJob job = job_of(1, [](std::int64_t) { return 1; });
  const Attempt failed{.batch = job.batch_of({0}), .effort = {.in_float32 = true}};
  EXPECT_TRUE(next_attempts(failed, Trouble::numbers, true, {16}, job).empty());
}

// Float32's weights come on top of the others.
TEST(LadderTest, WithoutRoomForFloat32TheChunkGetsSmaller) {
  const auto device = device_with([](const Rows&, const Effort& effort) {
    if (effort.in_float32 && effort.chunk_size == 0) throw OutOfMemory();
  });
  device->not_finite = {1};
  device->float32 = true;
  device->chunks = {16};
  const auto results = computed(device, {1});
  EXPECT_THAT(codes_of(results), ElementsAre("ok"));
  EXPECT_EQ(device->calls.back().effort, (Effort{.chunk_size = 16, .in_float32 = true}));
}

TEST(LadderTest, AnyOtherFailureIsPinnedOnOneSequence) {
  const auto device = device_with([](const Rows& rows, const Effort&) {
    if (std::ranges::count(rows, 2) > 0) throw std::runtime_error("row 2 is odd");
  });
  const auto results = computed(device, {1, 2, 3});
  EXPECT_THAT(codes_of(results), ElementsAre("ok", "compute_failed", "ok"));
  EXPECT_EQ(results[1].message, "row 2 is odd");
  EXPECT_THAT(attempts_of(results), ElementsAre(2, 2, 2));
}

TEST(LadderTest, ABatchThatFailsIsHalvedOrTakenApart) {
  const PipelineJob job = job_of(4, [](std::int64_t) { return 1; });
  const Attempt failed{.batch = job.batch_of({0, 1, 2})};
  const auto halves = next_attempts(failed, Trouble::memory, true, {}, job);
  ASSERT_EQ(halves.size(), 2U);
  EXPECT_THAT(halves[0].batch.rows, ElementsAre(0));
  EXPECT_THAT(halves[1].batch.rows, ElementsAre(1, 2));
  EXPECT_FALSE(halves[1].alone);
  EXPECT_EQ(next_attempts(failed, Trouble::other, true, {}, job).size(), 3U);
}

// Whatever a row fails with, the last attempt has nothing beside it that could be why.
TEST(LadderTest, TheLastRungIsAlone) {
  const PipelineJob job = job_of(1, [](std::int64_t) { return 1; });
  for (const Trouble trouble : {Trouble::memory, Trouble::other}) {
    Attempt failed{.batch = job.batch_of({0})};
    EXPECT_TRUE(next_attempts(failed, trouble, false, {}, job).empty()) << "it was alone";
    const auto next = next_attempts(failed, trouble, true, {}, job);
    ASSERT_EQ(next.size(), 1U);
    EXPECT_TRUE(next[0].alone);
    EXPECT_EQ(next[0].number, 2);
  }
}

TEST(LadderTest, ChunksComeBeforeTheLastRungAndTheSmallestStays) {
  const PipelineJob job = job_of(1, [](std::int64_t) { return 1; });
  Attempt attempt{.batch = job.batch_of({0})};
  std::vector<std::int64_t> chunks;
  for (std::vector<Attempt> next; !(next = next_attempts(attempt, Trouble::memory, true, {32, 16}, job)).empty();) {
    attempt = next.front();
    chunks.push_back(attempt.effort.chunk_size);
    if (attempt.alone) break;
  }
  EXPECT_THAT(chunks, ElementsAre(32, 16, 16));
  EXPECT_TRUE(attempt.alone);
  EXPECT_EQ(attempt.rung, MemoryRung::smaller_chunk);
}

}  // namespace
}  // namespace pleat
