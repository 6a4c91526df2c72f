// How leases end, and what becomes of their batches.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "engine/scheduler.h"

namespace pleat {
namespace {

using Seconds = std::chrono::duration<double>;

// How much of an earlier, slower pace a device keeps with each batch.
constexpr double memory_of_pace = 0.8;

bool is_retryable(const SequenceResult& result, bool company, bool has_float32) {
  if (!result.failed) return false;
  return result.error_code == RecordCode::out_of_memory ||
         (company && result.error_code == RecordCode::compute_failed) ||
         (has_float32 && result.error_code == RecordCode::not_finite);
}

Trouble trouble_of(const SequenceResult& result) {
  if (result.error_code == RecordCode::out_of_memory) return Trouble::memory;
  return result.error_code == RecordCode::not_finite ? Trouble::numbers : Trouble::other;
}

// What a batch took beyond the seconds that its results claim for themselves is divided among them by tokens.
void divide_seconds(double seconds, const Batch& batch, const std::vector<std::int64_t>& tokens,
                    std::vector<SequenceResult>& results) {
  for (const SequenceResult& result : results) seconds -= result.seconds;
  for (SequenceResult& result : results) {
    result.seconds += seconds * static_cast<double>(tokens[result.row]) / static_cast<double>(batch.tokens);
  }
}

bool are_of(const std::vector<std::int64_t>& rows, const std::vector<SequenceResult>& results) {
  return std::ranges::equal(rows, results, {}, {}, &SequenceResult::row);
}

}  // namespace

Lease::~Lease() {
  if (scheduler_ != nullptr) scheduler_->give_back(ticket_);
}

bool Lease::complete(std::vector<SequenceResult> results) {
  if (!are_of(attempt_.batch.rows, results)) return fail(Trouble::other, "the device gave the results of other rows");
  return scheduler_->complete(ticket_, std::move(results));
}

bool Lease::fail(Trouble trouble, const std::string& what) { return scheduler_->fail(ticket_, trouble, what); }

Scheduler::Leased Scheduler::end_lease(LeasedIterator lease) {
  Leased ended = std::move(lease->second);
  leased_.erase(lease);
  DeviceRecord& record = devices_[ended.device];
  record.last_end = now_();
  record.watched_since = watchdog_.seconds(record.last_end);
  if (record.state == DeviceState::computing && leases_of(ended.device) == 0) record.state = DeviceState::idle;
  changed_.notify_all();
  return ended;
}

bool Scheduler::complete(std::uint64_t ticket, std::vector<SequenceResult> results) {
  const std::scoped_lock lock(mutex_);
  const auto found = leased_.find(ticket);
  if (found == leased_.end()) return false;
  DeviceRecord& record = devices_[found->second.device];
  const Clock::time_point began = std::max(found->second.since, record.last_end);
  const Leased lease = end_lease(found);
  const Attempt& attempt = lease.attempt;
  const double seconds = Seconds(record.last_end - began).count();
  if (attempt.batch.flops > 0) {
    const double pace = seconds / attempt.batch.flops;
    record.seconds_per_flop = std::max(pace, memory_of_pace * record.seconds_per_flop);
    slowest_pace_ = std::max(slowest_pace_, pace);
  }
  divide_seconds(seconds + attempt.seconds_before, attempt.batch, job_.tokens, results);
  Delivery delivery;
  for (SequenceResult& result : results) {
    if (is_retryable(result, lease.company, record.traits.has_float32)) {
      Attempt failed = part_of(attempt, {result.row}, job_);
      failed.number = attempt.number;
      failed.seconds_before = result.seconds;
      std::vector<Attempt> next =
          next_attempts(failed, trouble_of(result), lease.company, record.traits.smaller_chunks, job_);
      if (!next.empty()) {
        try_next(std::move(next));
        continue;
      }
    }
    result.attempts = attempt.number;
    result.rung = result.failed ? MemoryRung::planned : attempt.rung;
    result.device = record.traits.name;
    delivery.results.push_back(std::move(result));
  }
  if (!delivery.results.empty()) deliver(std::move(delivery));
  return true;
}

bool Scheduler::fail(std::uint64_t ticket, Trouble trouble, const std::string& what) {
  const std::scoped_lock lock(mutex_);
  const auto found = leased_.find(ticket);
  if (found == leased_.end()) return false;
  const DeviceRecord& record = devices_[found->second.device];
  const Clock::time_point began = std::max(found->second.since, record.last_end);
  Leased lease = end_lease(found);
  Attempt& attempt = lease.attempt;
  attempt.seconds_before += Seconds(record.last_end - began).count();
  std::vector<Attempt> next = next_attempts(attempt, trouble, lease.company, record.traits.smaller_chunks, job_);
  if (!next.empty()) {
    try_next(std::move(next));
    return true;
  }
  Delivery delivery;
  const RecordCode code = trouble == Trouble::memory ? RecordCode::out_of_memory : RecordCode::compute_failed;
  SequenceResult& result = delivery.results.emplace_back(failed_result(attempt.batch.rows.front(), code, what));
  result.attempts = attempt.number;
  result.seconds = attempt.seconds_before;
  result.device = record.traits.name;
  deliver(std::move(delivery));
  return true;
}

void Scheduler::give_back(std::uint64_t ticket) {
  const std::scoped_lock lock(mutex_);
  const auto found = leased_.find(ticket);
  if (found != leased_.end()) try_next({end_lease(found).attempt});
}

void Scheduler::try_next(std::vector<Attempt> attempts) {
  if (attempts.empty()) return;
  std::deque<Attempt>& where = attempts.front().alone ? quarantined_ : waiting_;
  where.insert(where.begin(), std::make_move_iterator(attempts.begin()), std::make_move_iterator(attempts.end()));
  changed_.notify_all();
}

void Scheduler::lose(std::size_t device, const std::string& why) {
  const std::scoped_lock lock(mutex_);
  if (!is_at_work(device)) return;
  take_back(device, why);
  devices_[device].state = DeviceState::lost;
}

// Nobody knows which of the batches that the device held has cost it.
void Scheduler::take_back(std::size_t device, const std::string& why) {
  Loss loss{devices_[device].traits.name, why, {}};
  std::vector<SequenceResult> given_up;
  for (auto lease = leased_.begin(); lease != leased_.end();) {
    const auto here = lease++;
    if (here->second.device == device) quarantine_or_give_up(end_lease(here), loss, given_up);
  }
  deliver({.results = std::move(given_up), .loss = std::move(loss)});
}

// Each row is computed again, by itself; those that have cost too many devices are given up.
void Scheduler::quarantine_or_give_up(const Leased& lease, Loss& loss, std::vector<SequenceResult>& given_up) {
  for (const std::int64_t row : lease.attempt.batch.rows) {
    loss.rows.push_back(row);
    const std::int32_t losses = ++losses_[row];
    if (losses < losses_allowed) {
      quarantined_.push_back({.batch = job_.batch_of({row}), .alone = true});
      continue;
    }
    given_up.push_back(failed_result(row, RecordCode::device_lost,
                                     fmt::format("{} devices were lost while they computed this sequence", losses)));
    given_up.back().attempts = losses;
    given_up.back().device = loss.device;
  }
}

}  // namespace pleat
