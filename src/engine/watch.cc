#include "watch.h"

#include <algorithm>

namespace pleat {

void Watch::begin(std::size_t worker, const Batch& batch, double limit) {
  const std::scoped_lock lock(mutex_);
  workers_[worker] = {State::busy, batch, Clock::now(), limit};
}

bool Watch::end(std::size_t worker) {
  const std::scoped_lock lock(mutex_);
  if (workers_[worker].state == State::given_up) return false;
  workers_[worker].state = State::idle;
  return true;
}

void Watch::leave(std::size_t worker) {
  const std::scoped_lock lock(mutex_);
  if (workers_[worker].state != State::given_up) workers_[worker].state = State::left;
  changed_.notify_all();
}

bool Watch::is_given_up(std::size_t worker) const {
  const std::scoped_lock lock(mutex_);
  return workers_[worker].state == State::given_up;
}

std::vector<Watch::Overdue> Watch::give_up_overdue() {
  const Clock::time_point now = Clock::now();
  return give_up([&](const Worker& worker) {
    return worker.limit > 0 && std::chrono::duration<double>(now - worker.since).count() > worker.limit;
  });
}

std::vector<Watch::Overdue> Watch::give_up_busy() {
  return give_up([](const Worker&) { return true; });
}

bool Watch::any_left() const {
  return std::ranges::any_of(
      workers_, [](const Worker& worker) { return worker.state == State::idle || worker.state == State::busy; });
}

template <class Condition>
std::vector<Watch::Overdue> Watch::give_up(const Condition& condition) {
  const std::scoped_lock lock(mutex_);
  std::vector<Overdue> overdue;
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    if (workers_[i].state != State::busy || !condition(workers_[i])) continue;
    workers_[i].state = State::given_up;
    overdue.push_back({i, workers_[i].batch});
  }
  return overdue;
}

}  // namespace pleat
