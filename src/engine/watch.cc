#include "engine/watch.h"

#include <algorithm>

namespace pleat {

void Watch::begin(std::size_t worker, const Batch& batch, double limit) {
  const std::scoped_lock lock(mutex_);
  if (workers_[worker].begun.empty()) workers_[worker].since = Clock::now();
  workers_[worker].begun.push_back({batch, limit});
}

bool Watch::end(std::size_t worker) {
  const std::scoped_lock lock(mutex_);
  if (workers_[worker].state == State::given_up) return false;
  workers_[worker].begun.pop_front();
  workers_[worker].since = Clock::now();
  return true;
}

bool Watch::leave(std::size_t worker) {
  const std::scoped_lock lock(mutex_);
  changed_.notify_all();
  if (workers_[worker].state == State::given_up) return false;
  workers_[worker].state = State::left;
  return true;
}

bool Watch::is_given_up(std::size_t worker) const {
  const std::scoped_lock lock(mutex_);
  return workers_[worker].state == State::given_up;
}

std::vector<Watch::Overdue> Watch::give_up_overdue() {
  const Clock::time_point now = Clock::now();
  return give_up([&](const Worker& worker) {
    const double limit = worker.begun.front().limit;
    return limit > 0 && std::chrono::duration<double>(now - worker.since).count() > limit;
  });
}

std::vector<Watch::Overdue> Watch::give_up_busy() {
  return give_up([](const Worker&) { return true; });
}

bool Watch::any_left() const {
  return std::ranges::any_of(workers_, [](const Worker& worker) { return worker.state == State::there; });
}

template <class Condition>
std::vector<Watch::Overdue> Watch::give_up(const Condition& condition) {
  const std::scoped_lock lock(mutex_);
  std::vector<Overdue> overdue;
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker& worker = workers_[i];
    if (worker.state != State::there || worker.begun.empty() || !condition(worker)) continue;
    worker.state = State::given_up;
    overdue.push_back({i, {}});
    for (const Limited& begun : worker.begun) overdue.back().batches.push_back(begun.batch);
  }
  return overdue;
}

}  // namespace pleat
