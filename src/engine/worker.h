// What a device's thread does: leases batches, has them computed, and says what came of it.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>

#include "engine/device.h"
#include "engine/scheduler.h"

namespace pleat {

// What the scheduler is to know of the device.
[[nodiscard]] Scheduler::Traits traits_of(const Device& device);

class Worker {
 public:
  // `number` is that of the device for the scheduler.
  Worker(std::shared_ptr<Scheduler> scheduler, std::size_t number, std::shared_ptr<Device> device)
      : scheduler_(std::move(scheduler)), number_(number), device_(std::move(device)) {}

  // Until there is nothing more for the device. Throws Stopped, and what no device should throw.
  void operator()();

 private:
  struct Begun {
    Lease lease;
    Pending results;
  };

  // Whether there is something to finish.
  bool begin_some();
  // Whether the device can go on.
  bool finish_first();
  // What goes wrong comes with the results.
  [[nodiscard]] Pending begin(const Attempt& attempt) const;
  [[nodiscard]] std::string shortage(std::int64_t row) const;

  std::shared_ptr<Scheduler> scheduler_;
  std::size_t number_;
  std::shared_ptr<Device> device_;
  std::deque<Begun> begun_;
};

}  // namespace pleat
