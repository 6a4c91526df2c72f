// Who computes what, and since when: the workers' side tells, the supervisor's side looks for devices that hang.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "plan/batches.h"

namespace pleat {

class Watch {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Watch(std::size_t workers) : workers_(workers) {}

  // The worker begins a batch, which may take `limit` seconds once those it has begun before are ended; 0 = as long as
  // it likes.
  void begin(std::size_t worker, const Batch& batch, double limit);
  // It is through with the first that it has begun. False when it has been given up in the meantime: its batches are no
  // longer its own.
  [[nodiscard]] bool end(std::size_t worker);
  // It ends none of those it has begun, and begins no more. False as end().
  bool leave(std::size_t worker);

  // Waits until a worker has left, at most so long. Whether any is left that has neither left nor been given up.
  template <class Duration>
  bool wait(Duration patience) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [&] { return !any_left(); });
    return any_left();
  }

  struct Overdue {
    std::size_t worker = 0;
    std::vector<Batch> batches;  // that it had begun
  };
  // Gives up the workers that are over their limit, or all that are at a batch.
  [[nodiscard]] std::vector<Overdue> give_up_overdue();
  [[nodiscard]] std::vector<Overdue> give_up_busy();
  [[nodiscard]] bool is_given_up(std::size_t worker) const;

 private:
  enum class State : std::uint8_t { there, left, given_up };
  struct Limited {
    Batch batch;
    double limit = 0;
  };
  struct Worker {
    State state = State::there;
    std::deque<Limited> begun;
    Clock::time_point since;  // when it came to the first of these
  };

  [[nodiscard]] bool any_left() const;
  template <class Condition>
  std::vector<Overdue> give_up(const Condition& condition);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Worker> workers_;
};

}  // namespace pleat
