// Time that passes where a test says so.
#pragma once

#include <chrono>
#include <mutex>

namespace pleat {

class FakeClock {
 public:
  using Clock = std::chrono::steady_clock;
  using Seconds = std::chrono::duration<double>;

  [[nodiscard]] Clock::time_point now() {
    const std::scoped_lock lock(mutex_);
    now_ += step_;
    return now_;
  }
  void pass(Seconds time) {
    const std::scoped_lock lock(mutex_);
    now_ += std::chrono::duration_cast<Clock::duration>(time);
  }
  // From now on each look at it takes so long: who waits for a moment, as the supervisor does, gets there.
  void run(Seconds step) {
    const std::scoped_lock lock(mutex_);
    step_ = std::chrono::duration_cast<Clock::duration>(step);
  }
  void stop() { run(Seconds(0)); }

 private:
  std::mutex mutex_;
  Clock::time_point now_{};
  Clock::duration step_{};
};

}  // namespace pleat
