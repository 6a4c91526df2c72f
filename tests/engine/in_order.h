// What a device that prefetches does: everything it is told, one after the other, on a thread of its own.
#pragma once

#include <functional>
#include <future>
#include <vector>

#include "engine/device.h"

namespace pleat {

class InOrder {
 public:
  Pending begin(std::function<std::vector<SequenceResult>()> work) {
    last_ = std::async(std::launch::async, [work = std::move(work), before = last_] {
      if (before.valid()) before.wait();
      return work();
    });
    return [results = last_] { return results.get(); };
  }

 private:
  std::shared_future<std::vector<SequenceResult>> last_;
};

}  // namespace pleat
