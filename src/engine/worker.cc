#include "engine/worker.h"

#include <exception>
#include <new>
#include <utility>

#include "core/stop.h"

namespace pleat {
namespace {

// Batches that a device which prefetches is told of: one that it computes, and the next.
constexpr std::size_t leases_to_prefetch = 2;

}  // namespace

Scheduler::Traits traits_of(const Device& device) {
  return {.name = device.name(),
          .memory = device.memory(),
          .most_leases = device.prefetches() ? leases_to_prefetch : 1,
          .smaller_chunks = device.smaller_chunks(),
          .slowest_rate = device.slowest_rate(),
          .has_float32 = device.has_float32()};
}

void Worker::operator()() {
  while (begin_some()) {
    if (!finish_first()) return;
  }
}

bool Worker::begin_some() {
  while (true) {
    Offer offer = begun_.empty() ? scheduler_->wait_for_lease(number_) : scheduler_->ask(number_);
    if (!offer.lease) return !begun_.empty();
    Pending results = begin(offer.lease->attempt());
    begun_.push_back({std::move(*offer.lease), std::move(results)});
  }
}

Pending Worker::begin(const Attempt& attempt) const {
  const std::vector<std::int64_t>& rows = attempt.batch.rows;
  if (attempt.effort != Effort()) {
    return [device = device_, rows, effort = attempt.effort] { return device->compute(rows, effort); };
  }
  try {
    return device_->begin(rows);
  } catch (...) {
    return [error = std::current_exception()]() -> std::vector<SequenceResult> { std::rethrow_exception(error); };
  }
}

bool Worker::finish_first() {
  Begun first = std::move(begun_.front());
  begun_.pop_front();
  Lease& lease = first.lease;
  const std::int64_t first_row = lease.attempt().batch.rows.front();
  try {
    std::vector<SequenceResult> results = first.results();
    for (SequenceResult& result : results) {
      if (result.failed && result.error_code == RecordCode::out_of_memory) result.message = shortage(result.row);
    }
    return lease.complete(std::move(results));
  } catch (const Stopped&) {
    throw;
  } catch (const DeviceLost& error) {
    scheduler_->lose(number_, error.what());
    return false;
  } catch (const OutOfMemory&) {
    return lease.fail(Trouble::memory, shortage(first_row));
  } catch (const std::bad_alloc&) {
    return lease.fail(Trouble::memory, shortage(first_row));
  } catch (const std::exception& error) {
    return lease.fail(Trouble::other, error.what());
  }
}

std::string Worker::shortage(std::int64_t row) const { return "there is not enough memory: " + device_->need_of(row); }

}  // namespace pleat
