// Jobs, and a consumer that remembers what came.
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <set>

#include "engine/pipeline.h"
#include "fake_clock.h"
#include "faulty_device.h"

namespace pleat {

// One row a batch: row i costs `flops` of i.
inline PipelineJob job_of(std::int64_t rows, const std::function<double(std::int64_t)>& flops,
                          std::int64_t rows_per_batch = 1) {
  PipelineJob job;
  for (std::int64_t row = 0; row < rows; ++row) {
    job.tokens.push_back(10);
    job.flops.push_back(flops(row));
    if (row % rows_per_batch == 0) job.batches.emplace_back();
    Batch& batch = job.batches.back();
    batch.rows.push_back(row);
    batch.tokens += 10;
    batch.flops += job.flops.back();
  }
  return job;
}

class Collected : public PipelineConsumer {
 public:
  void take(SequenceResult result) override {
    if (on_take) on_take(result);
    const std::int64_t row = result.row;
    twice |= !results.emplace(row, std::move(result)).second;
  }
  void on_idle() override { ++idle_calls; }
  void warn(const std::string& line) override { warnings.push_back(line); }
  void lose_device(const std::string& device, const std::string& why, const std::vector<std::int64_t>& rows) override {
    lost.push_back(device + ": " + why);
    for (const std::int64_t row : rows) lost_rows.insert(row);
    if (on_lost) on_lost();
  }

  [[nodiscard]] std::int64_t failed() const {
    return std::ranges::count_if(results, [](const auto& pair) { return pair.second.failed; });
  }

  std::function<void(const SequenceResult&)> on_take;
  std::function<void()> on_lost;
  std::map<std::int64_t, SequenceResult> results;
  bool twice = false;
  std::atomic<std::int64_t> idle_calls = 0;
  std::vector<std::string> warnings;
  std::vector<std::string> lost;
  std::set<std::int64_t> lost_rows;
};

struct Bench {
  std::shared_ptr<StopToken> stop = std::make_shared<StopToken>();
  std::shared_ptr<StopToken> halt = std::make_shared<StopToken>(stop);
  Collected collected;
  std::vector<std::shared_ptr<Device>> devices;
  std::shared_ptr<FakeClock> clock;  // null: time passes by itself

  // Until only the test holds it any more, so many times: its thread has gone.
  void wait_until_left(std::size_t device, long held = 1) const {
    while (devices[device].use_count() > held) std::this_thread::yield();
  }

  template <class Kind = FaultyDevice>
  std::shared_ptr<Kind> add(FaultyDevice::Fault fault = {}) {
    auto device = std::make_shared<Kind>("d:" + std::to_string(devices.size()), std::move(fault));
    devices.push_back(device);
    return device;
  }
  PipelineOutcome run(const PipelineJob& job, const ThreadMaker& make = make_thread) {
    PipelineSystem system{.make = make};
    if (clock != nullptr) system.now = [clock = clock] { return clock->now(); };
    return run_pipeline(job, devices, collected, halt, system);
  }
};

}  // namespace pleat
