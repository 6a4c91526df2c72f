#include "engine/pipeline.h"

#include <fmt/format.h>

#include <chrono>
#include <exception>
#include <string>
#include <utility>

#include "core/error.h"
#include "engine/scheduler.h"
#include "engine/worker.h"

namespace pleat {
namespace {

using namespace std::chrono_literals;

// How soon a signal, a device that hangs or the end of time is noticed.
constexpr auto poll_interval = 20ms;
// How often the consumer may see to its own while no results come.
constexpr auto idle_interval = 250ms;

// The first error ends everything, and nobody waits for somebody who has left.
template <class Body>
void guard(Scheduler& scheduler, const Body& body) {
  try {
    body();
  } catch (const Stopped&) {
    scheduler.tick();  // it may not have looked yet; leases go back by themselves
  } catch (...) {
    scheduler.fail(std::current_exception());
  }
}

void consume(Scheduler& scheduler, PipelineConsumer& consumer) {
  using Next = Scheduler::Next;
  Delivery delivery;
  for (Next next{}; (next = scheduler.wait_for_delivery(delivery, idle_interval)) != Next::end;) {
    if (next == Next::delivery) {
      if (!delivery.warning.empty()) consumer.warn(delivery.warning);
      if (delivery.loss) consumer.lose_device(delivery.loss->device, delivery.loss->why, delivery.loss->rows);
      for (SequenceResult& result : delivery.results) consumer.take(std::move(result));
    }
    consumer.on_idle();
  }
}

// The workers' threads.
class WorkerThreads {
 public:
  // Devices for which no thread can be made leave, and the consumer hears of it, unless that are all.
  WorkerThreads(std::shared_ptr<Scheduler> scheduler, const std::vector<std::shared_ptr<Device>>& devices,
                const ThreadMaker& make)
      : scheduler_(std::move(scheduler)), threads_(devices.size()) {
    for (std::size_t i = 0; i < devices.size(); ++i) {
      try {
        threads_[i] = make([scheduler = scheduler_, i, device = devices[i]] {
          guard(*scheduler, [&] { Worker(scheduler, i, device)(); });
          scheduler->leave(i);
        });
      } catch (const std::exception& error) {
        missing_.push_back(i);
        why_ = error.what();
      }
    }
    // In this order: the others may have done everything by now, and with the last one to leave the consumer ends.
    if (!missing_.empty() && !all_missing()) {
      scheduler_->warn(fmt::format("the system gives no thread for {} of {} devices ({}); the others do their work",
                                   missing_.size(), devices.size(), why_));
    }
    for (const std::size_t device : missing_) scheduler_->leave(device);
  }
  ~WorkerThreads() { end(); }
  WorkerThreads(const WorkerThreads&) = delete;
  WorkerThreads& operator=(const WorkerThreads&) = delete;

  [[nodiscard]] bool all_missing() const { return !threads_.empty() && missing_.size() == threads_.size(); }
  [[nodiscard]] const std::string& why() const { return why_; }

  // Waits for all but those whose device hangs, which are left behind. How many these are.
  std::int64_t end() {
    std::int64_t hanging = 0;
    for (std::size_t i = 0; i < threads_.size(); ++i) {
      if (!threads_[i].joinable()) continue;
      const bool hangs = scheduler_->state(i) == DeviceState::given_up;
      if (hangs) ++hanging;
      hangs ? threads_[i].detach() : threads_[i].join();
    }
    return hanging;
  }

 private:
  std::shared_ptr<Scheduler> scheduler_;
  std::vector<std::thread> threads_;
  std::vector<std::size_t> missing_;
  std::string why_;
};

Error no_threads(const std::string& why) {
  return {ErrorCode::retry, fmt::format("the system gives no thread to compute with: {}", why),
          "raise the limit on processes (ulimit -u, pids.max of the cgroup), or ask for fewer devices"};
}

// Ends when no device is at work any more and everything was taken, or an error has ended the run.
class ConsumerThread {
 public:
  ConsumerThread(Scheduler& scheduler, PipelineConsumer& consumer, const ThreadMaker& make) {
    try {
      thread_ = make([&scheduler, &consumer] { guard(scheduler, [&] { consume(scheduler, consumer); }); });
    } catch (const std::exception& error) {
      throw no_threads(error.what());
    }
  }
  ~ConsumerThread() { thread_.join(); }
  ConsumerThread(const ConsumerThread&) = delete;
  ConsumerThread& operator=(const ConsumerThread&) = delete;

 private:
  std::thread thread_;
};

}  // namespace

std::thread make_thread(std::function<void()> body) { return std::thread(std::move(body)); }

PipelineOutcome run_pipeline(const PipelineJob& job, const std::vector<std::shared_ptr<Device>>& devices,
                             PipelineConsumer& consumer, const std::shared_ptr<StopToken>& halt,
                             const PipelineSystem& system) {
  std::vector<Scheduler::Traits> traits;
  traits.reserve(devices.size());
  for (const auto& device : devices) traits.push_back(traits_of(*device));
  const std::shared_ptr<Scheduler> scheduler = Scheduler::make(job, traits, halt, system.now);
  PipelineOutcome outcome;
  {
    const ConsumerThread consumer_thread(*scheduler, consumer, system.make);
    WorkerThreads workers(scheduler, devices, system.make);
    while (scheduler->wait_while_at_work(poll_interval)) scheduler->tick();
    outcome.hanging = workers.end();
    if (workers.all_missing()) throw no_threads(workers.why());
  }
  scheduler->rethrow_error();
  if (halt->reason() == StopReason::signal) throw Stopped(*halt);
  if (scheduler->is_done()) return outcome;
  outcome.end = scheduler->is_short_of_time() ? PipelineEnd::no_time_left : PipelineEnd::no_device_left;
  return outcome;
}

}  // namespace pleat
