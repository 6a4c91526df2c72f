// How work is asked to end early, why, and how its parts answer: one token for the whole program, with a reason.
// Whoever does something long is handed it, looks at it after each piece of work, and throws Stopped.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <utility>

namespace pleat {

// In the order in which they count: a later one replaces an earlier one.
enum class StopReason : std::uint8_t {
  none,
  deadline,  // the time is over
  signal,    // somebody wants the program to end
  failure,   // something else has failed, and nobody wants the result any more
};

// Whether to stop, and why. Tokens hang one below another: what stops the outer one stops the inner ones, as when a
// signal ends a run and all of its devices. One that is looked at by threads which may be left behind is shared with
// them.
class StopToken {
 public:
  using Clock = std::chrono::steady_clock;

  StopToken() = default;
  // `outer` may be null.
  explicit StopToken(std::shared_ptr<const StopToken> outer) : outer_(std::move(outer)) {}
  StopToken(const StopToken&) = delete;
  StopToken& operator=(const StopToken&) = delete;

  // Any thread may ask, and a signal handler too.
  void request_signal(int number) noexcept { request(number); }
  // For another reason than a signal.
  void request(StopReason reason) noexcept { request(-static_cast<int>(reason)); }
  // From that moment on the reason is `deadline`, for this token and those below. Before any other thread looks.
  void set_deadline(Clock::time_point deadline) { deadline_ = deadline; }

  // Two loads, and the clock where there is a deadline.
  [[nodiscard]] StopReason reason() const noexcept {
    StopReason reason = reason_of(asked_.load(std::memory_order_relaxed));
    if (outer_ != nullptr) reason = std::max(reason, outer_->reason());
    if (reason == StopReason::none && deadline_ != Clock::time_point::max() && Clock::now() >= deadline_) {
      reason = StopReason::deadline;
    }
    return reason;
  }
  [[nodiscard]] bool is_requested() const noexcept { return reason() != StopReason::none; }
  // The number of the signal, where that is the reason; else 0.
  [[nodiscard]] int signal() const noexcept {
    const int own = asked_.load(std::memory_order_relaxed);
    return own > 0 || outer_ == nullptr ? std::max(own, 0) : outer_->signal();
  }

 private:
  static_assert(std::atomic<int>::is_always_lock_free, "a signal handler stores into it");

  static StopReason reason_of(int asked) {
    return asked > 0 ? StopReason::signal : static_cast<StopReason>(static_cast<std::uint8_t>(-asked));
  }
  void request(int asked) noexcept {
    int before = asked_.load();
    while (reason_of(asked) > reason_of(before) && !asked_.compare_exchange_weak(before, asked)) {
    }
  }

  std::atomic<int> asked_ = 0;  // the number of a signal, or a reason below zero
  Clock::time_point deadline_ = Clock::time_point::max();
  std::shared_ptr<const StopToken> outer_;
};

// Thrown by what was asked to stop; what was under way has been dropped.
class Stopped : public std::exception {
 public:
  explicit Stopped(const StopToken& token) : reason_(token.reason()), signal_(token.signal()) {}

  [[nodiscard]] StopReason reason() const noexcept { return reason_; }
  // 0 where that is not the reason.
  [[nodiscard]] int signal() const noexcept { return signal_; }
  [[nodiscard]] const char* what() const noexcept override {
    return reason_ == StopReason::signal     ? "stopped by a signal"
           : reason_ == StopReason::deadline ? "stopped at the end of its time"
                                             : "stopped, since something else has failed";
  }

 private:
  StopReason reason_;
  int signal_;
};

// `token` may be null: then nobody ever asks.
inline void throw_if_stopped(const StopToken* token) {
  if (token != nullptr && token->is_requested()) throw Stopped(*token);
}

// While it lives, what this thread computes can be stopped: operations deep below, also where they spread over other
// threads, look at the token after each piece of work and throw Stopped. Without one nothing is ever stopped. Only for
// the model's arithmetic and the loading of its weights, whose many small functions would all have to be handed it.
class StopScope {
 public:
  explicit StopScope(const StopToken& token) : outer_(std::exchange(current_, &token)) {}
  ~StopScope() { current_ = outer_; }
  StopScope(const StopScope&) = delete;
  StopScope& operator=(const StopScope&) = delete;

  // The token of the innermost scope of this thread, or null.
  [[nodiscard]] static const StopToken* current() { return current_; }

 private:
  static inline thread_local const StopToken* current_ = nullptr;
  const StopToken* outer_;
};

}  // namespace pleat
