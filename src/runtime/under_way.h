// What the devices of a run are at.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

namespace pleat {

// From the moment a device is told of a row until its result has been taken. Any thread.
class UnderWay {
 public:
  using Clock = std::chrono::steady_clock;

  void begin(const std::vector<std::int64_t>& rows) {
    const std::scoped_lock lock(mutex_);
    for (const std::int64_t row : rows) since_.try_emplace(row, Clock::now());
  }
  void end(std::int64_t row) {
    const std::scoped_lock lock(mutex_);
    since_.erase(row);
  }
  // In rising order.
  [[nodiscard]] std::vector<std::int64_t> rows() const {
    const std::scoped_lock lock(mutex_);
    std::vector<std::int64_t> rows;
    rows.reserve(since_.size());
    for (const auto& [row, since] : since_) rows.push_back(row);
    return rows;
  }
  // For how many seconds; 0 for a row that is not.
  [[nodiscard]] double seconds(std::int64_t row) const {
    const std::scoped_lock lock(mutex_);
    const auto found = since_.find(row);
    return found == since_.end() ? 0 : std::chrono::duration<double>(Clock::now() - found->second).count();
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::int64_t, Clock::time_point> since_;
};

}  // namespace pleat
