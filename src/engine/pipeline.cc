#include "engine/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "engine/batch_queue.h"
#include "engine/channel.h"
#include "engine/ladder.h"
#include "engine/watch.h"

namespace pleat {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// Batches that a device which works ahead is told of: one that it computes, and the next.
constexpr std::size_t batches_ahead = 2;
// How soon a signal, a device that hangs or the end of time is noticed.
constexpr auto glance = 20ms;
// How often the consumer may see to its own while no results come.
constexpr auto breath = 250ms;
// After a signal, devices that do not answer are left behind.
constexpr auto patience_after_stop = 8s;
// What a batch may take beside its arithmetic before its device counts as hanging: seconds.
constexpr double slack = 600;
// Expectations are of means; a batch may take this much longer.
constexpr double margin = 1.25;
// In StopFlag, beside the numbers of signals: drop what you compute.
constexpr int halted = -1;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

struct Loss {
  std::string device;
  std::string why;
  std::vector<std::int64_t> rows;
};

// What goes to the consumer at once.
struct Delivery {
  std::vector<SequenceResult> results;
  std::optional<Loss> loss;
};

// Rows that have cost a device come last, and each by itself.
std::vector<Batch> with_suspects_apart(const PipelineJob& job) {
  std::vector<Batch> batches;
  std::vector<Batch> suspects;
  for (const Batch& batch : job.batches) {
    Batch sound;
    for (const std::int64_t row : batch.rows) {
      const bool suspect = job.lost.contains(row);
      Batch& target = suspect ? suspects.emplace_back() : sound;
      target.rows.push_back(row);
      target.tokens += job.tokens[row];
      target.flops += job.flops[row];
    }
    if (!sound.rows.empty()) batches.push_back(std::move(sound));
  }
  batches.insert(batches.end(), suspects.begin(), suspects.end());
  return batches;
}

// Everything that workers share. It lives as long as the last of them, which may be one whose device hangs.
class Floor {
 public:
  Floor(PipelineJob given, std::size_t workers, std::shared_ptr<StopFlag> halt_flag)
      : job(std::move(given)),
        queue(with_suspects_apart(job)),
        results(workers),
        watch(workers),
        halt(std::move(halt_flag)),
        lost_(job.lost) {}

  // The first error ends everything, and nobody waits for somebody who has left.
  template <class Body>
  void guard(const Body& body) {
    try {
      body();
    } catch (const Stopped&) {
      queue.break_off();
    } catch (...) {
      keep_first_error();
      drop_all();
      results.break_off();
    }
  }

  void drop_all() {
    int none = 0;
    halt->compare_exchange_strong(none, halted);
    queue.break_off();
  }

  // Nobody knows which of the batches that the device had begun has cost it.
  void lose(const Device& device, const std::vector<Batch>& batches, const std::string& why) {
    Delivery delivery;
    delivery.loss = Loss{device.name(), why, {}};
    std::vector<std::vector<Batch>> again;
    {
      const std::scoped_lock lock(mutex_);
      for (const Batch& batch : batches) {
        delivery.loss->rows.insert(delivery.loss->rows.end(), batch.rows.begin(), batch.rows.end());
        again.push_back(after_loss(device, batch, delivery.results));
      }
    }
    results.push(std::move(delivery));
    for (const std::vector<Batch>& rows : again) queue.put_back(rows);
  }

  // Whether a device was lost while it computed some of it: it may cost another one, and is to be all that one is at.
  [[nodiscard]] bool is_suspect(const Batch& batch) const {
    const std::scoped_lock lock(mutex_);
    return std::ranges::any_of(batch.rows, [&](std::int64_t row) { return lost_.contains(row); });
  }

  void rethrow() const {
    const std::scoped_lock lock(mutex_);
    if (first_error_ != nullptr) std::rethrow_exception(first_error_);
  }

  const PipelineJob job;
  BatchQueue queue;
  Channel<Delivery> results;
  Watch watch;
  const std::shared_ptr<StopFlag> halt;
  std::atomic<bool> short_of_time = false;  // a batch was not begun, or dropped, because of the deadline

 private:
  void keep_first_error() {
    const std::scoped_lock lock(mutex_);
    if (first_error_ == nullptr) first_error_ = std::current_exception();
  }

  // What is to be computed again, each row by itself; those that have cost too many devices are given up.
  std::vector<Batch> after_loss(const Device& device, const Batch& batch, std::vector<SequenceResult>& given_up) {
    std::vector<Batch> again;
    for (const std::int64_t row : batch.rows) {
      const std::int32_t losses = ++lost_[row];
      if (losses < losses_allowed) {
        again.push_back({{row}, job.tokens[row], job.flops[row]});
        continue;
      }
      given_up.push_back(failed_result(row, "device_lost",
                                       fmt::format("{} devices were lost while they computed this sequence", losses)));
      given_up.back().attempts = losses;
      given_up.back().device = device.name();
    }
    return again;
  }

  mutable std::mutex mutex_;  // the queue's may be held when this one is taken, and never the other way round
  std::map<std::int64_t, std::int32_t> lost_;
  std::exception_ptr first_error_;
};

// What a batch took beyond the seconds that its results claim for themselves is divided among them by tokens.
void divide_seconds(double seconds, const Batch& batch, const std::vector<std::int64_t>& tokens,
                    std::vector<SequenceResult>& results) {
  for (const SequenceResult& result : results) seconds -= result.seconds;
  for (SequenceResult& result : results) {
    result.seconds += seconds * static_cast<double>(tokens[result.row]) / static_cast<double>(batch.tokens);
  }
}

class Worker {
 public:
  Worker(std::shared_ptr<Floor> floor, std::size_t number, std::shared_ptr<Device> device)
      : floor_(std::move(floor)),
        number_(number),
        device_(std::move(device)),
        ladder_(*device_, floor_->job.lower_precision) {}

  void operator()() {
    while (begin_some()) {
      if (!finish_first()) return;
    }
  }

 private:
  struct Begun {
    Batch batch;
    Clock::time_point since;
    Pending results;
  };

  // Whether there is something to finish.
  bool begin_some() {
    const std::size_t most = device_->works_ahead() ? batches_ahead : 1;
    while (begun_.size() < most) {
      const std::optional<Batch> batch = next();
      if (!batch) break;
      throw_if_stopped(floor_->halt.get());
      floor_->watch.begin(number_, *batch, limit_of(*batch));
      const auto now = Clock::now();
      begun_.push_back({*batch, now, ladder_.begin(batch->rows)});
    }
    return !begun_.empty();
  }

  std::optional<Batch> next() {
    if (begun_.empty()) return floor_->queue.pop([this](const Batch& batch) { return fits(batch); });
    if (floor_->is_suspect(begun_.front().batch)) return std::nullopt;
    return floor_->queue.pop_at_once([this](const Batch& batch) { return !floor_->is_suspect(batch) && fits(batch); });
  }

  // Before the first batch nobody knows the device's pace.
  [[nodiscard]] bool fits(const Batch& batch) const {
    if (floor_->job.deadline == Clock::time_point::max()) return true;
    double flops = batch.flops;
    for (const Begun& begun : begun_) flops += begun.batch.flops;
    const std::chrono::duration<double> expected(margin * seconds_per_flop_ * flops);
    if (Clock::now() + expected < floor_->job.deadline) return true;
    floor_->short_of_time = true;
    return false;
  }

  [[nodiscard]] double limit_of(const Batch& batch) const {
    if (floor_->job.batch_timeout > 0) return floor_->job.batch_timeout;
    const double rate = device_->slowest_rate();
    return rate > 0 ? slack + batch.flops / rate : 0;
  }

  // Whether the device can go on.
  bool finish_first() {
    const Begun& first = begun_.front();
    const Batch& batch = first.batch;
    Delivery delivery;
    try {
      delivery.results = ladder_.finish(batch.rows, first.results);
    } catch (const DeviceLost& error) {
      if (floor_->watch.leave(number_)) floor_->lose(*device_, begun_batches(), error.what());
      return false;
    }
    if (!floor_->watch.end(number_)) return false;
    const double seconds = seconds_since(std::max(first.since, last_end_));
    last_end_ = Clock::now();
    divide_seconds(seconds, batch, floor_->job.tokens, delivery.results);
    for (SequenceResult& result : delivery.results) result.device = device_->name();
    if (batch.flops > 0) seconds_per_flop_ = std::max(seconds / batch.flops, 0.8 * seconds_per_flop_);
    begun_.pop_front();
    if (!floor_->results.push(std::move(delivery))) return false;
    floor_->queue.done();
    return true;
  }

  [[nodiscard]] std::vector<Batch> begun_batches() const {
    std::vector<Batch> batches;
    batches.reserve(begun_.size());
    for (const Begun& begun : begun_) batches.push_back(begun.batch);
    return batches;
  }

  std::shared_ptr<Floor> floor_;
  std::size_t number_;
  std::shared_ptr<Device> device_;
  Ladder ladder_;
  std::deque<Begun> begun_;
  Clock::time_point last_end_;  // of the batch before
  double seconds_per_flop_ = 0;
};

void consume(Floor& floor, PipelineConsumer& consumer) {
  using Results = Channel<Delivery>;
  Delivery delivery;
  for (Results::Pop got{}; (got = floor.results.pop(delivery, breath)) != Results::Pop::end;) {
    if (got == Results::Pop::item) {
      if (delivery.loss) consumer.lose_device(delivery.loss->device, delivery.loss->why, delivery.loss->rows);
      for (SequenceResult& result : delivery.results) consumer.take(std::move(result));
    }
    consumer.breathe();
  }
}

// Looks after the workers until none is left.
void supervise(Floor& floor, const std::vector<std::shared_ptr<Device>>& devices, const StopFlag& stop) {
  std::optional<Clock::time_point> stopped_at;
  while (floor.watch.wait(glance)) {
    for (const Watch::Overdue& overdue : floor.watch.give_up_overdue()) {
      floor.lose(*devices[overdue.worker], overdue.batches, "it hangs");
    }
    if (const int signal = stop; signal != 0 && *floor.halt == 0) *floor.halt = signal;
    if (Clock::now() > floor.job.deadline) {
      floor.short_of_time = true;
      floor.drop_all();
    }
    if (*floor.halt == 0) continue;
    floor.queue.break_off();
    if (!stopped_at) stopped_at = Clock::now();
    if (Clock::now() - *stopped_at > patience_after_stop) static_cast<void>(floor.watch.give_up_busy());
  }
}

std::vector<std::thread> start_workers(const std::shared_ptr<Floor>& floor,
                                       const std::vector<std::shared_ptr<Device>>& devices) {
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    threads.emplace_back([floor, i, device = devices[i]] {
      floor->guard([&] { Worker(floor, i, device)(); });
      floor->watch.leave(i);
    });
  }
  return threads;
}

}  // namespace

PipelineOutcome run_pipeline(const PipelineJob& job, const std::vector<std::shared_ptr<Device>>& devices,
                             PipelineConsumer& consumer, const StopFlag& stop, const std::shared_ptr<StopFlag>& halt) {
  const auto floor = std::make_shared<Floor>(job, devices.size(), halt);
  PipelineOutcome outcome;
  {
    const std::jthread consumer_thread([&] { floor->guard([&] { consume(*floor, consumer); }); });
    std::vector<std::thread> threads = start_workers(floor, devices);
    supervise(*floor, devices, stop);
    for (std::size_t i = 0; i < threads.size(); ++i) {
      const bool hangs = floor->watch.is_given_up(i);
      if (hangs) ++outcome.hanging;
      hangs ? threads[i].detach() : threads[i].join();
    }
    floor->results.close();
  }
  floor->rethrow();
  throw_if_stopped(&stop);
  if (floor->queue.is_finished()) return outcome;
  outcome.end = floor->short_of_time ? PipelineEnd::no_time_left : PipelineEnd::no_device_left;
  return outcome;
}

}  // namespace pleat
