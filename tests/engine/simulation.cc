#include "simulation.h"

#include <algorithm>
#include <exception>
#include <functional>
#include <stdexcept>
#include <tuple>
#include <utility>

namespace pleat {
namespace {

using Clock = Scheduler::Clock;

constexpr double timeout = 10;  // of a batch, of which a sound device needs less than half
constexpr double tick_seconds = 0.5;
constexpr double longest_run = 20000;  // whatever is not over by then waits for ever
constexpr double widest_chunk = 64;    // as planned
constexpr int sigterm = 15;

Clock::time_point time_at(double seconds) {
  return Clock::time_point(std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds)));
}

}  // namespace

Simulation::Simulation(std::uint64_t seed) : random_(seed) {
  make_rows();
  make_devices();
  make_troubles();
}

void Simulation::make_rows() {
  const std::int64_t rows = whole(1, 40);
  const std::int64_t rows_per_batch = whole(1, 4);
  memory_ = 10;
  if (chance(0.5)) chunks_ = {32, 16};
  const double odd = chance(0.3) ? 0.1 : 0;
  const double touchy = chance(0.3) ? 0.2 : 0;
  const double poison = chance(0.2) ? 0.03 : 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    rows_.push_back({.need = uniform(0.5, chance(0.1) ? 50 : 8),
                     .odd = chance(odd),
                     .touchy = chance(touchy),
                     .poison = chance(poison)});
    job_.tokens.push_back(whole(3, 30));
    job_.flops.push_back(uniform(0.01, 0.5));
    if (chance(0.02)) job_.lost[row] = 1;
  }
  losses_ = job_.lost;
  for (std::int64_t row = 0; row < rows; row += rows_per_batch) {
    std::vector<std::int64_t> members;
    for (std::int64_t i = row; i < std::min(rows, row + rows_per_batch); ++i) members.push_back(i);
    job_.batches.push_back(job_.batch_of(std::move(members)));
  }
}

void Simulation::make_devices() {
  const bool shared = chance(0.6);
  const double trouble = chance(0.6) ? 0.4 : 0;
  devices_.resize(whole(1, 4));
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    SimulatedDevice& device = devices_[i];
    device.memory = shared && chance(0.8) ? "shared" : "of " + std::to_string(i);
    device.most_leases = chance(0.5) ? 2 : 1;
    device.speed = uniform(0.6, 4);
    device.batches_to_fate = static_cast<int>(whole(0, 10));
    if (!chance(trouble)) continue;
    constexpr std::array fates{Fate::stalls, Fate::hangs, Fate::dies, Fate::leaves};
    device.fate = fates.at(whole(0, 3));
  }
}

void Simulation::make_troubles() {
  job_.batch_timeout = timeout;
  write_seconds_ = chance(0.3) ? uniform(0, 3) : 0.001;
  if (chance(0.2)) slow_write_ = whole(0, 10);
  if (chance(0.1)) failing_write_ = whole(0, 10);
  if (chance(0.15)) signal_at_ = uniform(0, 30);
  if (chance(0.15)) job_.deadline = time_at(uniform(0, 30));
}

void Simulation::later(double seconds, std::function<void()> happen) {
  events_.push({now_ + seconds, order_++, std::move(happen)});
}

void Simulation::complain(const std::string& what) {
  complaints_.push_back("at " + std::to_string(now_) + " s: " + what);
}

std::vector<std::string> Simulation::run() {
  std::vector<Scheduler::Traits> traits;
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    traits.push_back({"d:" + std::to_string(i), devices_[i].memory, devices_[i].most_leases, chunks_, 0});
  }
  scheduler_ = Scheduler::make(job_, traits, halt_, [this] { return time_at(now_); });
  for (std::size_t i = 0; i < devices_.size(); ++i) later(uniform(0, 1), [this, i] { step(i); });
  later(0, [this] { consume(); });
  later(0, [this] { tick(); });
  while (!events_.empty() && complaints_.empty()) {
    Event event = events_.top();
    events_.pop();
    now_ = event.at;
    if (now_ > longest_run) {
      complain("it does not end");
      break;
    }
    event.happen();
    step_idle_ones();
  }
  if (complaints_.empty()) check_end();
  for (SimulatedDevice& device : devices_) device.begun.clear();
  return complaints_;
}

// Who waits for a lease is woken by whatever happens.
void Simulation::step_idle_ones() {
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    if (now_ >= 1 && devices_[i].begun.empty() && !devices_[i].gone) step(i);
  }
}

void Simulation::step(std::size_t number) {
  SimulatedDevice& device = devices_[number];
  if (device.gone || device.stuck) return;
  while (true) {
    Offer offer = scheduler_->ask(number);
    if (offer.lease) {
      begin(number, std::move(*offer.lease));
      continue;
    }
    if (!device.begun.empty()) break;
    if (offer.kind == Offer::Kind::leave) drop_all(number);
    return;
  }
  if (!device.computing) compute_first(number);
}

void Simulation::begin(std::size_t number, Lease lease) {
  SimulatedDevice& device = devices_[number];
  const bool beside = any_beside(number, nullptr);
  if (lease.attempt().alone && beside) complain("something is beside a row in quarantine");
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    if (!holds(i) || devices_[i].memory != device.memory) continue;
    for (const Begun& other : devices_[i].begun) {
      if (other.lease.attempt().alone) complain("a batch is begun beside a row in quarantine");
    }
  }
  const bool short_of_memory = in_use(device.memory) + need_of(lease.attempt()) > memory_;
  device.begun.push_back({std::move(lease), short_of_memory, beside});
  if (device.begun.size() > device.most_leases) complain("a device holds too many leases");
}

void Simulation::compute_first(std::size_t number) {
  SimulatedDevice& device = devices_[number];
  device.computing = true;
  double seconds = device.begun.front().lease.attempt().batch.flops / device.speed;
  if (befalls(device)) {
    if (device.fate == Fate::hangs) {
      device.stuck = true;
      return;
    }
    if (device.fate == Fate::stalls) seconds += uniform(timeout / 2, 4 * timeout);
  }
  later(seconds, [this, number] { finish_first(number); });
}

bool Simulation::befalls(SimulatedDevice& device) const {
  return device.fate != Fate::sound && device.batches_to_fate == 0;
}

void Simulation::finish_first(std::size_t number) {
  SimulatedDevice& device = devices_[number];
  device.computing = false;
  if (halt_->is_requested()) return drop_all(number);
  const bool struck = befalls(device);
  --device.batches_to_fate;
  Begun& first = device.begun.front();
  const std::vector<std::int64_t> rows = first.lease.attempt().batch.rows;
  const auto any = [&](bool Row::*what) {
    return std::ranges::any_of(rows, [&](std::int64_t row) { return rows_[row].*what; });
  };
  if ((struck && device.fate == Fate::dies) || any(&Row::poison)) {
    scheduler_->lose(number, "fell off the bus");
    return drop_all(number);
  }
  if (struck && device.fate == Fate::leaves) return drop_all(number);
  const bool beside = first.beside || any_beside(number, &first) || rows.size() > 1;
  const bool short_of_memory = first.short_of_memory || in_use(device.memory) > memory_;
  bool ours = false;
  if (short_of_memory) {
    ours = first.lease.fail(Trouble::memory, "too little");
  } else if (any(&Row::odd) || (beside && any(&Row::touchy))) {
    ours = first.lease.fail(Trouble::other, "odd");
  } else {
    std::vector<SequenceResult> results;
    for (const std::int64_t row : rows) results.emplace_back().row = row;
    ours = first.lease.complete(std::move(results));
  }
  device.begun.pop_front();
  if (!ours) return drop_all(number);
  step(number);
}

// Its thread ends.
void Simulation::drop_all(std::size_t number) {
  SimulatedDevice& device = devices_[number];
  device.begun.clear();
  device.gone = true;
  scheduler_->leave(number);
}

void Simulation::tick() {
  if (signal_at_ && now_ >= *signal_at_) halt_->request_signal(sigterm);
  scheduler_->tick();
  if (scheduler_->wait_while_at_work(Clock::duration::zero())) later(tick_seconds, [this] { tick(); });
}

void Simulation::consume() {
  Delivery delivery;
  const Scheduler::Next next = scheduler_->take(delivery);
  if (next == Scheduler::Next::end) {
    consumer_ended_ = true;
    return;
  }
  if (next == Scheduler::Next::nothing_yet) return later(0.25, [this] { consume(); });
  if (deliveries_ == failing_write_) {
    failed_ = true;
    scheduler_->fail(std::make_exception_ptr(std::runtime_error("the disk is full")));
    consumer_ended_ = true;
    return;
  }
  hear(delivery);
  later(deliveries_ == slow_write_ ? 5 * timeout : write_seconds_, [this] { consume(); });
  ++deliveries_;
}

void Simulation::hear(const Delivery& delivery) {
  if (delivery.loss) {
    for (const std::int64_t row : delivery.loss->rows) ++losses_[row];
  }
  for (const SequenceResult& result : delivery.results) {
    if (!delivered_.insert(result.row).second) complain("row " + std::to_string(result.row) + " came twice");
    check_outcome(result);
  }
}

void Simulation::check_outcome(const SequenceResult& result) {
  const std::string row = "row " + std::to_string(result.row);
  if (result.failed && result.error_code == "device_lost") {
    if (losses_[result.row] < losses_allowed) complain(row + " was given up after too few losses");
    return;
  }
  const Truth truth = truth_of(result.row);
  const Truth found = !result.failed                                   ? Truth::ok
                      : result.error_code == RecordCode::out_of_memory ? Truth::out_of_memory
                                                                       : Truth::compute_failed;
  if (found != truth) complain(row + " came out as " + (result.failed ? result.error_code : "ok"));
}

// Time, company and neighbours have no part in it.
Truth Simulation::truth_of(std::int64_t row) const {
  const double chunk = chunks_.empty() ? widest_chunk : static_cast<double>(chunks_.back());
  if (rows_[row].need * chunk / widest_chunk > memory_) return Truth::out_of_memory;
  return rows_[row].odd ? Truth::compute_failed : Truth::ok;
}

double Simulation::need_of(const Attempt& attempt) const {
  double need = 0;
  for (const std::int64_t row : attempt.batch.rows) need += rows_[row].need;
  return attempt.effort.chunk_size > 0 ? need * static_cast<double>(attempt.effort.chunk_size) / widest_chunk : need;
}

// Whether the scheduler believes the device to be at something. What others do is not to be taken for company.
bool Simulation::holds(std::size_t device) const {
  return !devices_[device].gone && scheduler_->state(device) == DeviceState::computing;
}

double Simulation::in_use(const std::string& memory) const {
  double sum = 0;
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    if (!holds(i) || devices_[i].memory != memory) continue;
    for (const Begun& begun : devices_[i].begun) sum += need_of(begun.lease.attempt());
  }
  return sum;
}

bool Simulation::any_beside(std::size_t device, const Begun* but) const {
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    if (!holds(i) || devices_[i].memory != devices_[device].memory) continue;
    for (const Begun& begun : devices_[i].begun) {
      if (&begun != but) return true;
    }
  }
  return false;
}

void Simulation::check_end() {
  if (!consumer_ended_) complain("the consumer waits for ever");
  bool any_sound = false;
  const bool cancelled = scheduler_->cancel_reason() != StopReason::none;
  if (scheduler_->is_short_of_time() && job_.deadline == Clock::time_point::max()) complain("there is no deadline");
  const bool poisoned = std::ranges::any_of(rows_, &Row::poison);
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    const SimulatedDevice& device = devices_[i];
    const DeviceState state = scheduler_->state(i);
    if (!device.gone && !device.stuck) complain("device " + std::to_string(i) + " waits for ever");
    if (device.stuck && state != DeviceState::given_up) complain("a device that hangs is not given up");
    any_sound |= device.fate == Fate::sound && !poisoned;
  }
  const bool ended_early = cancelled || scheduler_->is_short_of_time();
  if (any_sound && !ended_early && !scheduler_->is_done()) complain("a sound device has left work undone");
  const bool all = delivered_.size() == rows_.size();
  if (scheduler_->is_done() && !failed_ && !all) complain("a row was lost");
  if (!scheduler_->is_done() && all) complain("a row is left that was delivered");
}

}  // namespace pleat
