// When a device counts as hanging.
#pragma once

#include <algorithm>
#include <chrono>

namespace pleat {

// Tells the time in which this program ran, since a device may well make no progress while the whole process is stopped
// or the machine sleeps: of a step from one tick to the next no more than a second counts.
class Watchdog {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Watchdog(Clock::time_point start) : last_tick_(start) {}

  // To be called several times a second.
  void tick(Clock::time_point now) {
    seconds_ = seconds(now);
    last_tick_ = now;
  }
  [[nodiscard]] double seconds(Clock::time_point now) const {
    return seconds_ + std::clamp(std::chrono::duration<double>(now - last_tick_).count(), 0.0, longest_step);
  }

  // The seconds that a batch may take; 0 = as long as it likes. `batch_timeout` is the user's word. Without one a
  // device that may hang at all, since it has a `slowest_rate` (Device::slowest_rate), gets minutes beside many times
  // what the batch takes at the slowest pace that was measured in this run, or, before that, at that rate.
  // `slowest_pace`: seconds for an operation, 0 = nothing was measured yet.
  [[nodiscard]] static double limit(double batch_timeout, double flops, double slowest_rate, double slowest_pace) {
    if (batch_timeout > 0) return batch_timeout;
    if (slowest_rate <= 0) return 0;
    return minimum + flops * (slowest_pace > 0 ? patience * slowest_pace : 1 / slowest_rate);
  }

  static constexpr double minimum = 600;
  static constexpr double patience = 50;

 private:
  static constexpr double longest_step = 1;

  double seconds_ = 0;
  Clock::time_point last_tick_;
};

}  // namespace pleat
