// The plan as a queue from which devices pull: the most expensive batch that is left, and at the end what came back
// from devices that were lost.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "plan/batches.h"

namespace pleat {

class BatchQueue {
 public:
  explicit BatchQueue(std::vector<Batch> batches) : batches_(std::move(batches)), taken_(batches_.size()) {}

  using Condition = std::function<bool(const Batch&)>;
  // The first batch that `fits` accepts. Waits while there is none but others are under way, since they may come back.
  // Nothing once no batch is left for this caller, or the queue has been broken off.
  std::optional<Batch> pop(const Condition& fits);
  // The same without waiting: for who has a batch under way, and would wait for himself.
  std::optional<Batch> pop_at_once(const Condition& fits);
  // A batch that was popped is done.
  void done();
  // A batch that was popped is not done, and becomes these.
  void put_back(const std::vector<Batch>& batches);
  // Nobody gets anything more.
  void break_off();
  // Whether every batch is done.
  [[nodiscard]] bool is_finished() const;

 private:
  std::optional<Batch> take(const Condition& fits);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Batch> batches_;
  std::vector<bool> taken_;
  std::size_t first_ = 0;      // before it all are taken
  std::size_t under_way_ = 0;  // popped, and neither done nor put back
  bool broken_ = false;
};

}  // namespace pleat
