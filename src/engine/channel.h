// A bounded queue between threads whose end can be marked, and which lets go of both sides when one of them fails.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
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

  enum class Pop : std::uint8_t { item, nothing_yet, end };

  // Waits so long for an item. The end is also that of a channel that has been broken off.
  template <class Duration>
  Pop pop(T& item, Duration patience) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [&] { return broken_ || closed_ || !items_.empty(); });
    if (broken_ || (closed_ && items_.empty())) return Pop::end;
    if (items_.empty()) return Pop::nothing_yet;
    item = std::move(items_.front());
    items_.pop();
    changed_.notify_all();
    return Pop::item;
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
