// How a run is asked to end early, and how its parts answer.
#pragma once

#include <atomic>
#include <exception>
#include <utility>

namespace pleat {

// Holds 0 until a signal has arrived, then its number.
using StopFlag = std::atomic<int>;

// Thrown when a signal asked the run to stop; what was in flight has been dropped.
class Stopped : public std::exception {
 public:
  explicit Stopped(int signal) : signal_(signal) {}
  [[nodiscard]] int signal() const noexcept { return signal_; }
  [[nodiscard]] const char* what() const noexcept override { return "stopped by a signal"; }

 private:
  int signal_;
};

// `stop` may be null: then nobody ever asks.
inline void throw_if_stopped(const StopFlag* stop) {
  if (stop == nullptr) return;
  if (const int signal = *stop; signal != 0) throw Stopped(signal);
}

// While it lives, what this thread computes can be stopped: long loops, also those that it spreads over other threads,
// look at the flag after each piece of work and throw Stopped. Without one nothing is ever stopped.
class StopScope {
 public:
  explicit StopScope(const StopFlag& stop) : outer_(std::exchange(current_, &stop)) {}
  ~StopScope() { current_ = outer_; }
  StopScope(const StopScope&) = delete;
  StopScope& operator=(const StopScope&) = delete;

  // The flag of the innermost scope of this thread, or null.
  [[nodiscard]] static const StopFlag* current() { return current_; }

 private:
  static inline thread_local const StopFlag* current_ = nullptr;
  const StopFlag* outer_;
};

}  // namespace pleat
