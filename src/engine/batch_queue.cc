#include "engine/batch_queue.h"

namespace pleat {

std::optional<Batch> BatchQueue::pop(const Condition& fits) {
  std::unique_lock lock(mutex_);
  while (true) {
    std::optional<Batch> batch = take(fits);
    if (batch || broken_ || under_way_ == 0) return batch;
    changed_.wait(lock);
  }
}

std::optional<Batch> BatchQueue::pop_at_once(const Condition& fits) {
  const std::scoped_lock lock(mutex_);
  return take(fits);
}

std::optional<Batch> BatchQueue::take(const Condition& fits) {
  if (broken_) return std::nullopt;
  while (first_ < batches_.size() && taken_[first_]) ++first_;
  for (std::size_t i = first_; i < batches_.size(); ++i) {
    if (taken_[i] || !fits(batches_[i])) continue;
    taken_[i] = true;
    ++under_way_;
    return batches_[i];
  }
  return std::nullopt;
}

void BatchQueue::done() {
  const std::scoped_lock lock(mutex_);
  --under_way_;
  changed_.notify_all();
}

void BatchQueue::put_back(const std::vector<Batch>& batches) {
  const std::scoped_lock lock(mutex_);
  --under_way_;
  batches_.insert(batches_.end(), batches.begin(), batches.end());
  taken_.resize(batches_.size(), false);
  changed_.notify_all();
}

void BatchQueue::break_off() {
  const std::scoped_lock lock(mutex_);
  broken_ = true;
  changed_.notify_all();
}

bool BatchQueue::is_finished() const {
  const std::scoped_lock lock(mutex_);
  if (under_way_ > 0) return false;
  for (std::size_t i = first_; i < batches_.size(); ++i) {
    if (!taken_[i]) return false;
  }
  return true;
}

}  // namespace pleat
