// Devices of known speed, played by waiting: the engine itself must cost next to nothing.
#include <gtest/gtest.h>

#include <cmath>

#include "run.h"

namespace pleat {
namespace {

using Clock = std::chrono::steady_clock;

// Seconds of one device of speed 1. A sleep lasts up to a tenth of a millisecond too long, which must be little beside
// the 20 ms that a batch takes on the average.
constexpr double total_work = 40;

// Lengths of proteins are about lognormal; longest first, as the plan has them.
PipelineJob proteins(std::int64_t count, double total) {
  PipelineJob job = job_of(count, [count](std::int64_t row) {
    const double quantile = (static_cast<double>(count - row) - 0.5) / static_cast<double>(count);
    // The quantile of a logistic distribution, near enough to the normal one.
    return std::exp(0.75 * 0.5513 * std::log(quantile / (1 - quantile)));
  });
  double sum = 0;
  for (const double flops : job.flops) sum += flops;
  for (double& flops : job.flops) flops *= total / sum;
  for (Batch& batch : job.batches) batch.flops *= total / sum;
  return job;
}

double seconds_with(const std::vector<double>& speeds, const PipelineJob& job) {
  Bench bench;
  for (const double speed : speeds) {
    bench.add([&job, speed](const std::vector<std::int64_t>& rows, const Effort&) {
      std::this_thread::sleep_for(std::chrono::duration<double>(job.flops[rows[0]] / speed));
    });
  }
  const auto start = Clock::now();
  EXPECT_EQ(bench.run(job).end, PipelineEnd::all_done);
  return std::chrono::duration<double>(Clock::now() - start).count();
}

TEST(ScalingTest, EightDevicesAreEightTimesAsFast) {
  const PipelineJob job = proteins(2000, total_work);
  const double efficiency = total_work / 8 / seconds_with(std::vector<double>(8, 1.0), job);
  RecordProperty("efficiency", std::to_string(efficiency));
  std::printf("8 equal devices: %.1f %% of 8 times one\n", 100 * efficiency);
  EXPECT_GE(efficiency, 0.97);
}

TEST(ScalingTest, DevicesOfDifferentSpeedShareTheWork) {
  const PipelineJob job = proteins(2000, total_work);
  const std::vector<double> speeds{1.6, 1.6, 1, 1, 1, 1, 0.5, 0.3};
  double sum = 0;
  for (const double speed : speeds) sum += speed;
  const double efficiency = total_work / sum / seconds_with(speeds, job);
  std::printf("8 devices of different speed: %.1f %% of the sum of their speeds\n", 100 * efficiency);
  EXPECT_GE(efficiency, 0.97);
}

}  // namespace
}  // namespace pleat
