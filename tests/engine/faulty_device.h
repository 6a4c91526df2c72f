// A device that computes nothing, takes as long as it is told to, and fails where it is told to.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/stop.h"
#include "engine/device.h"

namespace pleat {

class FaultyDevice : public Device {
 public:
  // Called with each computation; what it throws is the computation's failure.
  using Fault = std::function<void(const std::vector<std::int64_t>& rows, const Effort& effort)>;

  struct Call {
    std::vector<std::int64_t> rows;
    Effort effort;
  };

  explicit FaultyDevice(std::string name, Fault fault = {}) : name_(std::move(name)), fault_(std::move(fault)) {}

  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] std::vector<SequenceResult> compute(const std::vector<std::int64_t>& rows,
                                                    const Effort& effort) override {
    calls.push_back({rows, effort});
    if (fault_) fault_(rows, effort);
    std::vector<SequenceResult> results(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      results[i].row = rows[i];
      if (not_finite.contains(rows[i]) && !(float32 && effort.in_float32)) {
        results[i] = failed_result(rows[i], RecordCode::not_finite, "NaN");
        continue;
      }
      if (!unfoldable.contains(rows[i]) || effort.chunk_size == foldable_at) continue;
      results[i].failed = true;
      results[i].error_code = word_of(RecordCode::out_of_memory);
    }
    return results;
  }
  [[nodiscard]] std::vector<std::int64_t> smaller_chunks() const override { return chunks; }
  [[nodiscard]] std::string need_of(std::int64_t row) const override {
    return "row " + std::to_string(row) + " needs more";
  }
  [[nodiscard]] double slowest_rate() const override { return rate; }
  [[nodiscard]] bool has_float32() const override { return float32; }

  std::vector<std::int64_t> chunks;
  double rate = 0;
  std::set<std::int64_t> unfoldable;  // come back as out of memory, but at this chunk size
  std::int64_t foldable_at = -1;
  std::set<std::int64_t> not_finite;  // come back so, unless they are computed in float32
  bool float32 = false;
  std::vector<Call> calls;

 private:
  std::string name_;
  Fault fault_;
};

// What has no end but that it is asked to stop.
[[noreturn]] inline void work_until_stopped(const StopToken& halt) {
  while (true) {
    throw_if_stopped(&halt);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace pleat
