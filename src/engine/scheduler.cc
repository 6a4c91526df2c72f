#include "engine/scheduler.h"

#include <algorithm>
#include <utility>

namespace pleat {
namespace {

using Seconds = std::chrono::duration<double>;

// Expectations are of means; a batch may take this much longer.
constexpr double margin = 1.25;

}  // namespace

std::shared_ptr<Scheduler> Scheduler::make(PipelineJob job, const std::vector<Traits>& devices,
                                           std::shared_ptr<StopToken> halt, Now now) {
  return std::shared_ptr<Scheduler>(new Scheduler(std::move(job), devices, std::move(halt), std::move(now)));
}

Scheduler::Scheduler(PipelineJob job, const std::vector<Traits>& devices, std::shared_ptr<StopToken> halt, Now now)
    : job_(std::move(job)), halt_(std::move(halt)), now_(std::move(now)), losses_(job_.lost), watchdog_(now_()) {
  for (const Traits& traits : devices) {
    devices_.push_back({.traits = traits});
    most_finished_ += traits.most_leases == 1 ? 1 : traits.most_leases + 1;
  }
  // Rows that have cost a device come last, and each by itself.
  for (const Batch& batch : job_.batches) {
    std::vector<std::int64_t> sound;
    for (const std::int64_t row : batch.rows) {
      if (losses_.contains(row)) {
        quarantined_.push_back({.batch = job_.batch_of({row}), .alone = true});
      } else {
        sound.push_back(row);
      }
    }
    if (!sound.empty()) waiting_.push_back({.batch = job_.batch_of(std::move(sound))});
  }
}

Offer Scheduler::ask(std::size_t device) {
  const std::scoped_lock lock(mutex_);
  return offer(device);
}

Offer Scheduler::wait_for_lease(std::size_t device) {
  std::unique_lock lock(mutex_);
  while (true) {
    Offer offered = offer(device);
    if (offered.kind != Offer::Kind::later) return offered;
    changed_.wait(lock);
  }
}

Offer Scheduler::offer(std::size_t device) {
  if (reason_ != StopReason::none || !is_at_work(device)) return {Offer::Kind::leave, {}};
  const std::size_t held = leases_of(device);
  // Results are held back here, where nobody has anything to lose, and not when they are there.
  if (held >= devices_[device].traits.most_leases || finished_.size() >= most_finished_) {
    return {Offer::Kind::later, {}};
  }
  const auto alone = [](const Leased& lease) { return lease.attempt.alone; };
  const auto any = [](const Leased&) { return true; };
  if (any_leased_beside(device, alone)) return {Offer::Kind::later, {}};
  std::optional<Attempt> attempt = take_fitting(waiting_, device);
  if (!attempt && !any_leased_beside(device, any)) attempt = take_fitting(quarantined_, device);
  if (attempt) return {Offer::Kind::lease, grant(std::move(*attempt), device)};
  // What others are at may come back.
  return {leased_.empty() ? Offer::Kind::leave : Offer::Kind::later, {}};
}

// Before its first batch nobody knows the device's pace.
std::optional<Attempt> Scheduler::take_fitting(std::deque<Attempt>& attempts, std::size_t device) {
  const double held = flops_of(device);
  const auto found = std::ranges::find_if(attempts, [&](const Attempt& attempt) {
    if (job_.deadline == Clock::time_point::max()) return true;
    const Seconds expected(margin * devices_[device].seconds_per_flop * (held + attempt.batch.flops));
    return now_() + expected < job_.deadline;
  });
  short_of_time_ |= found != attempts.begin();
  if (found == attempts.end()) return std::nullopt;
  Attempt attempt = std::move(*found);
  attempts.erase(found);
  return attempt;
}

Lease Scheduler::grant(Attempt attempt, std::size_t device) {
  const Clock::time_point now = now_();
  Leased granted{.attempt = attempt, .device = device, .since = now};
  for (auto& [ticket, lease] : leased_) {
    if (devices_[lease.device].traits.memory != devices_[device].traits.memory) continue;
    lease.company = true;
    granted.company = true;
  }
  DeviceRecord& record = devices_[device];
  if (record.state == DeviceState::idle) record.watched_since = watchdog_.seconds(now);
  record.state = DeviceState::computing;
  const std::uint64_t ticket = next_ticket_++;
  leased_.emplace(ticket, std::move(granted));
  return {shared_from_this(), ticket, std::move(attempt)};
}

bool Scheduler::is_at_work(std::size_t device) const {
  return devices_[device].state == DeviceState::idle || devices_[device].state == DeviceState::computing;
}

bool Scheduler::any_at_work() const {
  for (std::size_t device = 0; device < devices_.size(); ++device) {
    if (is_at_work(device)) return true;
  }
  return false;
}

std::size_t Scheduler::leases_of(std::size_t device) const {
  return std::ranges::count_if(leased_, [&](const auto& pair) { return pair.second.device == device; });
}

double Scheduler::flops_of(std::size_t device) const {
  double flops = 0;
  for (const auto& [ticket, lease] : leased_) {
    if (lease.device == device) flops += lease.attempt.batch.flops;
  }
  return flops;
}

template <class Condition>
bool Scheduler::any_leased_beside(std::size_t device, const Condition& condition) const {
  return std::ranges::any_of(leased_, [&](const auto& pair) {
    const Leased& lease = pair.second;
    return devices_[lease.device].traits.memory == devices_[device].traits.memory && condition(lease);
  });
}

void Scheduler::leave(std::size_t device) {
  const std::scoped_lock lock(mutex_);
  devices_[device].state = DeviceState::left;
  changed_.notify_all();
}

void Scheduler::deliver(Delivery delivery) {
  finished_.push_back(std::move(delivery));
  changed_.notify_all();
}

Scheduler::Next Scheduler::take(Delivery& delivery) { return wait_for_delivery(delivery, Clock::duration::zero()); }

Scheduler::Next Scheduler::wait_for_delivery(Delivery& delivery, Clock::duration patience) {
  std::unique_lock lock(mutex_);
  const auto is_over = [&] { return reason_ == StopReason::failure || (finished_.empty() && !any_at_work()); };
  if (patience > Clock::duration::zero()) {
    changed_.wait_for(lock, patience, [&] { return is_over() || !finished_.empty(); });
  }
  if (is_over()) return Next::end;
  if (finished_.empty()) return Next::nothing_yet;
  delivery = std::move(finished_.front());
  finished_.pop_front();
  changed_.notify_all();
  return Next::delivery;
}

bool Scheduler::wait_while_at_work(Clock::duration patience) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [&] { return !any_at_work(); });
  return any_at_work();
}

void Scheduler::tick() {
  const std::scoped_lock lock(mutex_);
  const Clock::time_point now = now_();
  watchdog_.tick(now);
  const StopReason asked = now > job_.deadline ? std::max(halt_->reason(), StopReason::deadline) : halt_->reason();
  if (asked == StopReason::deadline) short_of_time_ = true;
  if (asked != StopReason::none) cancel(asked);
  if (reason_ == StopReason::none) {
    give_up_overdue(now);
  } else {
    give_up_unresponsive(now);
  }
}

void Scheduler::give_up_overdue(Clock::time_point now) {
  for (std::size_t device = 0; device < devices_.size(); ++device) {
    DeviceRecord& record = devices_[device];
    if (record.state != DeviceState::computing) continue;
    const auto oldest = std::ranges::find_if(leased_, [&](const auto& pair) { return pair.second.device == device; });
    const double limit = Watchdog::limit(job_.batch_timeout, oldest->second.attempt.batch.flops,
                                         record.traits.slowest_rate, slowest_pace_);
    if (limit <= 0 || watchdog_.seconds(now) - record.watched_since <= limit) continue;
    take_back(device, "it hangs");
    record.state = DeviceState::given_up;
  }
}

void Scheduler::give_up_unresponsive(Clock::time_point now) {
  if (Seconds(now - cancelled_at_).count() <= job_.patience_after_cancel) return;
  for (std::size_t device = 0; device < devices_.size(); ++device) {
    if (is_at_work(device)) devices_[device].state = DeviceState::given_up;
  }
  changed_.notify_all();
}

void Scheduler::cancel(StopReason reason) {
  if (reason_ == StopReason::none) cancelled_at_ = now_();
  reason_ = std::max(reason_, reason);
  if (reason != StopReason::signal) halt_->request(reason);  // it has heard of a signal before
  changed_.notify_all();
}

void Scheduler::warn(const std::string& line) {
  const std::scoped_lock lock(mutex_);
  deliver({.warning = line});
}

void Scheduler::fail(std::exception_ptr error) {
  const std::scoped_lock lock(mutex_);
  if (error_ == nullptr) error_ = std::move(error);
  cancel(StopReason::failure);
}

StopReason Scheduler::cancel_reason() const {
  const std::scoped_lock lock(mutex_);
  return reason_;
}

DeviceState Scheduler::state(std::size_t device) const {
  const std::scoped_lock lock(mutex_);
  return devices_[device].state;
}

bool Scheduler::is_done() const {
  const std::scoped_lock lock(mutex_);
  return waiting_.empty() && quarantined_.empty() && leased_.empty() && finished_.empty();
}

bool Scheduler::is_short_of_time() const {
  const std::scoped_lock lock(mutex_);
  return short_of_time_;
}

void Scheduler::rethrow_error() const {
  const std::scoped_lock lock(mutex_);
  if (error_ != nullptr) std::rethrow_exception(error_);
}

}  // namespace pleat
