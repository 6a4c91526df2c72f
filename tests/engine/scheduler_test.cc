// The scheduler step by step, in a time that the test makes.
#include "engine/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "run.h"

namespace pleat {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using Kind = Offer::Kind;
using Rows = std::vector<std::int64_t>;

double same(std::int64_t /*row*/) { return 1; }

class SchedulerTest : public ::testing::Test {
 protected:
  void make(const PipelineJob& job, std::size_t devices, std::size_t most_leases = 1, double slowest_rate = 0,
            const std::string& memory = {}) {
    std::vector<Scheduler::Traits> traits;
    for (std::size_t i = 0; i < devices; ++i) {
      const std::string name = "d:" + std::to_string(i);
      traits.push_back({name, memory.empty() ? name : memory, most_leases, {}, slowest_rate});
    }
    scheduler_ = Scheduler::make(job, traits, halt_, [this] { return now_; });
  }

  Lease lease(std::size_t device) {
    Offer offer = scheduler_->ask(device);
    EXPECT_TRUE(offer.lease);
    return std::move(*offer.lease);
  }
  Kind kind(std::size_t device) { return scheduler_->ask(device).kind; }

  static std::vector<SequenceResult> results_of(const Lease& lease) {
    std::vector<SequenceResult> results;
    for (const std::int64_t row : lease.attempt().batch.rows) results.emplace_back().row = row;
    return results;
  }

  // So much time in the supervisor's steps.
  void pass(std::chrono::milliseconds time, std::chrono::milliseconds step = 500ms) {
    for (; time > 0ms; time -= step) {
      now_ += step;
      scheduler_->tick();
    }
  }

  Rows delivered() {
    Rows rows;
    for (Delivery delivery; scheduler_->take(delivery) == Scheduler::Next::delivery;) {
      for (const SequenceResult& result : delivery.results) rows.push_back(result.row);
    }
    return rows;
  }

  Scheduler::Clock::time_point now_{};
  std::shared_ptr<StopToken> halt_ = std::make_shared<StopToken>();
  std::shared_ptr<Scheduler> scheduler_;
};

TEST_F(SchedulerTest, ALeaseThatIsDroppedGoesBackToTheFront) {
  make(job_of(3, same), 2);
  { const Lease dropped = lease(0); }
  EXPECT_THAT(lease(1).attempt().batch.rows, ElementsAre(0));
  EXPECT_EQ(scheduler_->state(0), DeviceState::idle);
}

TEST_F(SchedulerTest, ADeviceWaitsForWhatOthersMayGiveBack) {
  make(job_of(1, same), 2);
  Lease held = lease(0);
  EXPECT_EQ(kind(1), Kind::later);
  EXPECT_TRUE(held.complete(results_of(held)));
  EXPECT_EQ(kind(1), Kind::leave);
  EXPECT_FALSE(scheduler_->is_done()) << "the consumer has not got it yet";
  EXPECT_THAT(delivered(), ElementsAre(0));
  EXPECT_TRUE(scheduler_->is_done());
}

// Two devices that prefetch stall while the consumer takes nothing, are given up, and come back one by one.
TEST_F(SchedulerTest, ADeviceThatComesBackKeepsNothing) {
  PipelineJob job = job_of(20, same);
  job.batch_timeout = 5;
  make(job, 3, 2);
  std::vector<Lease> stalled;
  for (const std::size_t device : {0U, 1U}) {
    stalled.push_back(lease(device));
    stalled.push_back(lease(device));
  }
  pass(6s);
  EXPECT_EQ(scheduler_->state(0), DeviceState::given_up);
  EXPECT_EQ(scheduler_->state(1), DeviceState::given_up);
  for (Lease& late : stalled) EXPECT_FALSE(late.complete(results_of(late)));
  EXPECT_EQ(kind(1), Kind::leave);
  scheduler_->leave(1);
  Rows rows = delivered();
  while (true) {
    Offer offer = scheduler_->ask(2);
    if (!offer.lease) break;
    EXPECT_TRUE(offer.lease->complete(results_of(*offer.lease)));
    for (const std::int64_t row : delivered()) rows.push_back(row);
  }
  EXPECT_EQ(kind(2), Kind::leave);
  EXPECT_TRUE(scheduler_->is_done());
  std::ranges::sort(rows);
  EXPECT_EQ(rows.size(), 20U);
  EXPECT_EQ(std::ranges::adjacent_find(rows), rows.end());
}

// The time in which a batch waits for the one before is not its own.
TEST_F(SchedulerTest, ABatchThatWaitsForTheOneBeforeDoesNotHang) {
  PipelineJob job = job_of(3, same);
  job.batch_timeout = 7;
  make(job, 1, 2);
  Lease first = lease(0);
  Lease second = lease(0);
  pass(4s);
  EXPECT_TRUE(first.complete(results_of(first)));
  pass(6s);
  EXPECT_EQ(scheduler_->state(0), DeviceState::computing);
  pass(2s);
  EXPECT_EQ(scheduler_->state(0), DeviceState::given_up);
  EXPECT_FALSE(second.complete(results_of(second)));
}

TEST_F(SchedulerTest, WhileTheConsumerIsBehindNoBatchIsBegun) {
  make(job_of(9, same), 1);
  {
    Lease first = lease(0);
    first.complete(results_of(first));
  }
  EXPECT_EQ(kind(0), Kind::later);
  EXPECT_THAT(delivered(), ElementsAre(0));
  EXPECT_EQ(kind(0), Kind::lease);
}

TEST_F(SchedulerTest, InQuarantineNothingIsBesideARowInItsMemory) {
  make(job_of(3, same), 2, 2, 0, "shared");
  Lease first = lease(0);
  Lease second = lease(1);
  EXPECT_TRUE(second.fail(Trouble::memory, "too much"));
  Lease third = lease(1);
  EXPECT_EQ(kind(1), Kind::later) << "two are under way";
  EXPECT_TRUE(third.complete(results_of(third)));
  EXPECT_EQ(kind(1), Kind::later) << "one is under way";
  EXPECT_TRUE(first.complete(results_of(first)));
  Lease alone = lease(1);
  EXPECT_TRUE(alone.attempt().alone);
  EXPECT_THAT(alone.attempt().batch.rows, ElementsAre(1));
  EXPECT_EQ(kind(0), Kind::later);
  EXPECT_TRUE(alone.fail(Trouble::memory, "too much"));
  delivered();
  EXPECT_EQ(kind(0), Kind::leave);
  EXPECT_TRUE(scheduler_->is_done());
}

TEST_F(SchedulerTest, AShortageInADevicesOwnMemoryIsNotAnotherDevicesFault) {
  make(job_of(2, same), 2);
  const Lease other = lease(0);
  Lease failing = lease(1);
  EXPECT_TRUE(failing.fail(Trouble::memory, "too much"));
  EXPECT_THAT(delivered(), ElementsAre(1)) << "it was alone in its memory";
}

TEST_F(SchedulerTest, ResultsOfOtherRowsAreAFailure) {
  make(job_of(2, same), 1);
  Lease wrong = lease(0);
  std::vector<SequenceResult> results(1);
  results[0].row = 1;
  EXPECT_TRUE(wrong.complete(std::move(results)));
  Delivery delivery;
  ASSERT_EQ(scheduler_->take(delivery), Scheduler::Next::delivery);
  EXPECT_EQ(delivery.results[0].row, 0);
  EXPECT_EQ(delivery.results[0].error_code, "compute_failed");
}

TEST_F(SchedulerTest, TimeInWhichTheWholeProcessWasStoppedIsNoHang) {
  PipelineJob job = job_of(2, same);
  job.batch_timeout = 5;
  make(job, 1);
  const Lease held = lease(0);
  pass(1h, 1h);
  EXPECT_EQ(scheduler_->state(0), DeviceState::computing);
  pass(10s);
  EXPECT_EQ(scheduler_->state(0), DeviceState::given_up);
}

// Without run.batch_timeout: by the rate that any sound device has, and then by what was measured.
TEST_F(SchedulerTest, WithoutATimeoutAHangShowsByThePace) {
  make(job_of(3, [](std::int64_t) { return 1000; }), 2, 1, 1);
  {
    Lease first = lease(0);
    pass(700s);
    EXPECT_TRUE(first.complete(results_of(first))) << "1,000 s at the slowest rate, and ten minutes";
    delivered();
  }
  const Lease measured = lease(0);
  pass(35500s);
  EXPECT_EQ(scheduler_->state(0), DeviceState::computing) << "fifty times 700 s, and ten minutes";
  pass(200s);
  EXPECT_EQ(scheduler_->state(0), DeviceState::given_up);
}

TEST_F(SchedulerTest, ADeviceThatNeverMeasuredAnythingIsJudgedByTheSlowestRate) {
  make(job_of(3, [](std::int64_t) { return 1000; }), 1, 1, 1);
  const Lease first = lease(0);
  pass(1599s);
  EXPECT_EQ(scheduler_->state(0), DeviceState::computing);
  pass(2s);
  EXPECT_EQ(scheduler_->state(0), DeviceState::given_up);
}

TEST_F(SchedulerTest, ADeviceWithoutARateNeverHangs) {
  make(job_of(3, same), 1);
  const Lease first = lease(0);
  pass(100h, 1s);
  EXPECT_EQ(scheduler_->state(0), DeviceState::computing);
}

TEST_F(SchedulerTest, ASignalEndsAllAndLeavesBehindWhatDoesNotAnswer) {
  make(job_of(3, same), 2);
  const Lease held = lease(0);
  halt_->request_signal(15);
  pass(500ms);
  EXPECT_EQ(scheduler_->cancel_reason(), StopReason::signal);
  EXPECT_EQ(kind(1), Kind::leave);
  scheduler_->leave(1);
  EXPECT_TRUE(scheduler_->wait_while_at_work(0s));
  pass(9s);
  EXPECT_EQ(scheduler_->state(0), DeviceState::given_up);
  EXPECT_FALSE(scheduler_->wait_while_at_work(0s));
}

TEST_F(SchedulerTest, TheReasonIsTheGravest) {
  PipelineJob job = job_of(1, same);
  job.deadline = now_ + 1s;
  make(job, 1);
  pass(2s);
  EXPECT_EQ(scheduler_->cancel_reason(), StopReason::deadline);
  EXPECT_EQ(halt_->reason(), StopReason::deadline) << "devices drop what they compute";
  scheduler_->fail(std::make_exception_ptr(std::runtime_error("the disk is full")));
  halt_->request_signal(2);
  pass(1s);
  EXPECT_EQ(scheduler_->cancel_reason(), StopReason::failure);
  EXPECT_THROW(scheduler_->rethrow_error(), std::runtime_error);
}

}  // namespace
}  // namespace pleat
