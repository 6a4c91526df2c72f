// Eight devices of known speed: what of their time the engine makes use of. The devices compute in simulated time. What
// the engine itself costs is processor time, measured, and added to each batch. So neither depends on what else the
// machine does.
#include <gtest/gtest.h>

#include <cmath>
#include <ctime>
#include <queue>

#include "engine/scheduler.h"
#include "run.h"

namespace pleat {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr std::int64_t batches = 2000;
// Seconds of one device of speed 1; 20 ms a batch on the average.
constexpr double total_work = 40;

// Lengths of proteins are about lognormal; longest first, as the plan has them.
PipelineJob proteins() {
  PipelineJob job = job_of(batches, [](std::int64_t row) {
    const double quantile = (static_cast<double>(batches - row) - 0.5) / static_cast<double>(batches);
    // The quantile of a logistic distribution, near enough to the normal one.
    return std::exp(0.75 * 0.5513 * std::log(quantile / (1 - quantile)));
  });
  double sum = 0;
  for (const double flops : job.flops) sum += flops;
  for (double& flops : job.flops) flops *= total_work / sum;
  for (Batch& batch : job.batches) batch.flops *= total_work / sum;
  return job;
}

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Of all threads of the engine together, with devices that do nothing.
double engine_seconds_per_batch(std::size_t devices) {
  Bench bench;
  for (std::size_t i = 0; i < devices; ++i) bench.add();
  const PipelineJob job = proteins();
  const double start = processor_seconds();
  EXPECT_EQ(bench.run(job).end, PipelineEnd::all_done);
  return (processor_seconds() - start) / static_cast<double>(batches);
}

// When the last batch ends, where each takes its time on its device and `engine` seconds besides.
double seconds_with(const std::vector<double>& speeds, double engine) {
  struct Busy {
    double until;
    std::size_t device;
    bool operator<(const Busy& other) const { return until > other.until; }
  };
  double now = 0;
  std::vector<Scheduler::Traits> traits(speeds.size());
  for (std::size_t i = 0; i < speeds.size(); ++i) traits[i].name = traits[i].memory = "d:" + std::to_string(i);
  const auto scheduler = Scheduler::make(proteins(), traits, std::make_shared<StopToken>(), [&] {
    return Scheduler::Clock::time_point(std::chrono::duration_cast<Scheduler::Clock::duration>(Seconds(now)));
  });
  std::vector<std::optional<Lease>> leases;
  for (std::size_t i = 0; i < speeds.size(); ++i) leases.emplace_back();
  std::priority_queue<Busy> busy;
  const auto begin = [&](std::size_t device) {
    Offer offer = scheduler->ask(device);
    if (!offer.lease) return;
    busy.push({now + engine + offer.lease->attempt().batch.flops / speeds[device], device});
    leases[device].emplace(std::move(*offer.lease));
  };
  for (std::size_t device = 0; device < speeds.size(); ++device) begin(device);
  while (!busy.empty()) {
    const Busy first = busy.top();
    busy.pop();
    now = first.until;
    std::vector<SequenceResult> results(1);
    results[0].row = leases[first.device]->attempt().batch.rows[0];
    EXPECT_TRUE(leases[first.device]->complete(std::move(results)));
    leases[first.device].reset();
    Delivery delivery;
    while (scheduler->take(delivery) == Scheduler::Next::delivery) {
    }
    begin(first.device);
  }
  for (std::size_t device = 0; device < speeds.size(); ++device) scheduler->leave(device);
  EXPECT_TRUE(scheduler->is_done());
  return now;
}

void expect_efficient(const std::vector<double>& speeds, const char* what) {
  double sum = 0;
  for (const double speed : speeds) sum += speed;
  const double engine = engine_seconds_per_batch(speeds.size());
  const double efficiency = total_work / sum / seconds_with(speeds, engine);
  std::printf("%s: %.1f %% of the sum of their speeds; the engine takes %.0f us of processor time a batch\n", what,
              100 * efficiency, 1e6 * engine);
  EXPECT_GE(efficiency, 0.97);
}

TEST(ScalingTest, EightDevicesAreEightTimesAsFast) { expect_efficient(std::vector<double>(8, 1.0), "8 equal devices"); }

TEST(ScalingTest, DevicesOfDifferentSpeedShareTheWork) {
  expect_efficient({1.6, 1.6, 1, 1, 1, 1, 0.5, 0.3}, "8 devices of different speed");
}

// A batch begun last by a slow device, and an engine that costs a tenth of a batch: both must show.
TEST(ScalingTest, WhatCostsTimeShows) {
  const std::vector<double> equal(8, 1.0);
  EXPECT_LT(total_work / 8 / seconds_with(equal, 0.002), 0.97);
  std::vector<double> one_slow(8, 1.0);
  one_slow[7] = 0.01;
  EXPECT_LT(total_work / 7.01 / seconds_with(one_slow, 0), 0.97);
}

}  // namespace
}  // namespace pleat
