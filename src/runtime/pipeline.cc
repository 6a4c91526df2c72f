#include "pleat/runtime/pipeline.h"

#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>

#include "channel.h"
#include "failure.h"

namespace pleat {
namespace {

using Clock = std::chrono::steady_clock;

// Deep enough that neither side waits for the other's short pauses; shallow enough that memory stays flat.
constexpr std::size_t batches_ahead = 2;
constexpr std::size_t results_ahead = 1;

// One sequence by itself: whatever goes wrong is its own failure.
SequenceResult compute_one(Device& device, std::int64_t row) {
  try {
    return std::move(device.compute({row}).front());
  } catch (const std::exception&) {
    return failure_of_current_exception(row);
  }
}

std::vector<SequenceResult> compute_each(Device& device, const std::vector<std::int64_t>& rows) {
  std::vector<SequenceResult> results;
  for (const std::int64_t row : rows) {
    results.push_back(compute_one(device, row));
    results.back().attempts = rows.size() > 1 ? 2 : 1;
  }
  return results;
}

std::vector<SequenceResult> compute_all(Device& device, const std::vector<std::int64_t>& rows) {
  if (rows.size() == 1) return compute_each(device, rows);
  try {
    return device.compute(rows);
  } catch (const Stopped&) {
    throw;
  } catch (const std::exception&) {
    return compute_each(device, rows);
  }
}

}  // namespace

std::vector<SequenceResult> compute_batch(Device& device, const Batch& batch, const std::vector<std::int64_t>& tokens) {
  const auto start = Clock::now();
  std::vector<SequenceResult> results = compute_all(device, batch.rows);
  double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  for (const SequenceResult& result : results) seconds -= result.seconds;
  for (SequenceResult& result : results) {
    result.seconds += seconds * static_cast<double>(tokens[result.row]) / static_cast<double>(batch.tokens);
    result.device = device.name();
  }
  return results;
}

void run_pipeline(const std::vector<Batch>& batches, const std::vector<std::int64_t>& tokens, Device& device,
                  const std::function<void(SequenceResult)>& consume, const StopFlag& stop) {
  Channel<const Batch*> to_worker(batches_ahead);
  Channel<std::vector<SequenceResult>> to_writer(results_ahead);
  std::exception_ptr first_error;
  std::mutex error_mutex;
  // The first error ends everything: both channels are broken, so nobody waits for somebody who has left.
  const auto guard = [&](const auto& body) {
    try {
      body();
    } catch (...) {
      const std::scoped_lock lock(error_mutex);
      if (first_error == nullptr) first_error = std::current_exception();
      to_worker.break_off();
      to_writer.break_off();
    }
  };

  {
    const std::jthread worker([&] {
      guard([&] {
        const Batch* batch = nullptr;
        while (to_worker.pop(batch)) {
          throw_if_stopped(&stop);
          if (!to_writer.push(compute_batch(device, *batch, tokens))) return;
        }
        to_writer.close();
      });
    });
    const std::jthread writer([&] {
      guard([&] {
        std::vector<SequenceResult> results;
        while (to_writer.pop(results)) {
          for (SequenceResult& result : results) consume(std::move(result));
        }
      });
    });
    guard([&] {
      for (const Batch& batch : batches) {
        throw_if_stopped(&stop);
        if (!to_worker.push(&batch)) return;
      }
      to_worker.close();
    });
  }
  if (first_error != nullptr) std::rethrow_exception(first_error);
  throw_if_stopped(&stop);
}

}  // namespace pleat
