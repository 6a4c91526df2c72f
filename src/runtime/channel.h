// A bounded queue between two threads whose end can be marked, and which lets go of both sides when one of them fails.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <queue>
#include <utility>

namespace pleat {

// oneTBB's bounded queue can be aborted as well, but wakes only threads that wait already: one that is about to wait
// would do so for ever.
template <class T>
class Channel {
 public:
  explicit Channel(std::size_t capacity) : capacity_(capacity) {}

  // Waits for room. False once the channel has been broken off: the item is dropped.
  bool push(T item) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return broken_ || items_.size() < capacity_; });
    if (broken_) return false;
    items_.push(std::move(item));
    changed_.notify_all();
    return true;
  }

  // Waits for an item. False at the end, and once the channel has been broken off.
  bool pop(T& item) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return broken_ || closed_ || !items_.empty(); });
    if (broken_ || items_.empty()) return false;
    item = std::move(items_.front());
    items_.pop();
    changed_.notify_all();
    return true;
  }

  // No more items will come; those inside can still be taken.
  void close() {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

  void break_off() {
    const std::scoped_lock lock(mutex_);
    broken_ = true;
    changed_.notify_all();
  }

 private:
  const std::size_t capacity_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::queue<T> items_;
  bool closed_ = false;
  bool broken_ = false;
};

}  // namespace pleat
