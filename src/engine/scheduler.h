// Who computes what: the one owner of everything that is to be computed, under one lock. docs/design.md draws the
// states of a batch and of a device.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/stop.h"
#include "engine/device.h"
#include "engine/ladder.h"
#include "engine/pipeline_job.h"
#include "engine/watchdog.h"

namespace pleat {

class Scheduler;

// A batch that a device is at. It goes back to the scheduler when its lease is destroyed, unless that was ended before,
// or the scheduler has taken the batch back, as it does from a device that it has given up.
class Lease {
 public:
  Lease(Lease&& other) noexcept = default;
  Lease& operator=(Lease&&) = delete;
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease();

  [[nodiscard]] const Attempt& attempt() const { return attempt_; }

  // The batch is computed: one result for each of its rows, in their order. Those that have run out of memory are tried
  // otherwise where they can be. False: the batch was no longer this device's, and the results are dropped.
  bool complete(std::vector<SequenceResult> results);
  // It could not be computed; `what` is for the record of a row for which nothing is left to be tried. False as above.
  bool fail(Trouble trouble, const std::string& what);

 private:
  friend class Scheduler;
  Lease(std::shared_ptr<Scheduler> scheduler, std::uint64_t ticket, Attempt attempt)
      : scheduler_(std::move(scheduler)), ticket_(ticket), attempt_(std::move(attempt)) {}

  std::shared_ptr<Scheduler> scheduler_;  // null once moved from
  std::uint64_t ticket_;
  Attempt attempt_;
};

// What a device is told that asks for a lease.
struct Offer {
  enum class Kind : std::uint8_t { lease, later, leave };
  Kind kind = Kind::leave;
  std::optional<Lease> lease;
};

struct Loss {
  std::string device;
  std::string why;
  std::vector<std::int64_t> rows;
};

// What goes to the consumer at once.
struct Delivery {
  std::vector<SequenceResult> results = {};
  std::optional<Loss> loss = {};
  std::string warning = {};  // usually empty
};

enum class DeviceState : std::uint8_t {
  idle,       // holds no lease
  computing,  // holds one or more
  lost,       // has said that it will compute nothing any more
  given_up,   // hangs: what it held was taken back, and its thread is still inside a call
  left,       // its thread has gone
};

class Scheduler : public std::enable_shared_from_this<Scheduler> {
 public:
  using Clock = std::chrono::steady_clock;
  using Now = std::function<Clock::time_point()>;

  // What is to be known of a device.
  struct Traits {
    std::string name;
    std::string memory;           // Device::memory()
    std::size_t most_leases = 1;  // at a time; more than one for a device that prefetches
    std::vector<std::int64_t> smaller_chunks;
    double slowest_rate = 0;
    bool has_float32 = false;
  };

  // `halt` is what devices look at, and the scheduler too: whoever asks it, or the token above it, to stop ends the
  // run. The scheduler asks it at the deadline, and when something has failed. `now` is called under the scheduler's
  // lock.
  static std::shared_ptr<Scheduler> make(PipelineJob job, const std::vector<Traits>& devices,
                                         std::shared_ptr<StopToken> halt, Now now = Clock::now);

  // For workers; `device` is the number of the one that calls. None waits for anything but a lease.
  //
  // A lease; or `later`, when there may be one later, or the device holds as many as it may; or `leave`: there will be
  // nothing more for it.
  [[nodiscard]] Offer ask(std::size_t device);
  // The same, once it is not `later`. For a device that holds no lease.
  [[nodiscard]] Offer wait_for_lease(std::size_t device);
  // The device will compute nothing any more. What it was at is computed by others.
  void lose(std::size_t device, const std::string& why);
  // Its thread goes, and holds no lease any more.
  void leave(std::size_t device);

  // For the consumer.
  enum class Next : std::uint8_t { delivery, nothing_yet, end };
  // Does not wait.
  [[nodiscard]] Next take(Delivery& delivery);
  // Waits so long for a delivery.
  [[nodiscard]] Next wait_for_delivery(Delivery& delivery, Clock::duration patience);

  // For the supervisor, several times a second. Looks at the token, for devices that hang, and for the end of time.
  // Never waits.
  void tick();
  // Waits so long, or until no device is idle or computing any more. Whether one is.
  bool wait_while_at_work(Clock::duration patience);

  // Tells the consumer.
  void warn(const std::string& line);
  // Ends everything with this error, of which the first is kept.
  void fail(std::exception_ptr error);

  [[nodiscard]] StopReason cancel_reason() const;
  [[nodiscard]] DeviceState state(std::size_t device) const;
  // Whether every row has gone to the consumer.
  [[nodiscard]] bool is_done() const;
  // Whether something was not begun, or dropped, because of the deadline.
  [[nodiscard]] bool is_short_of_time() const;
  void rethrow_error() const;

 private:
  friend class Lease;

  struct DeviceRecord {
    Traits traits;
    DeviceState state = DeviceState::idle;
    double watched_since = 0;         // of the watchdog's time: when it came to the oldest of its leases
    Clock::time_point last_end = {};  // of a lease
    double seconds_per_flop = 0;      // of late; 0 = it has computed nothing yet
  };
  struct Leased {
    Attempt attempt;
    std::size_t device = 0;
    Clock::time_point since;
    bool company = false;  // something else was computed in the same memory meanwhile
  };
  using LeasedIterator = std::map<std::uint64_t, Leased>::iterator;

  Scheduler(PipelineJob job, const std::vector<Traits>& devices, std::shared_ptr<StopToken> halt, Now now);

  // All of these want the lock to be held.
  [[nodiscard]] Offer offer(std::size_t device);
  [[nodiscard]] std::optional<Attempt> take_fitting(std::deque<Attempt>& attempts, std::size_t device);
  [[nodiscard]] Lease grant(Attempt attempt, std::size_t device);
  [[nodiscard]] bool is_at_work(std::size_t device) const;
  [[nodiscard]] bool any_at_work() const;
  [[nodiscard]] std::size_t leases_of(std::size_t device) const;
  [[nodiscard]] double flops_of(std::size_t device) const;  // that it holds
  template <class Condition>
  [[nodiscard]] bool any_leased_beside(std::size_t device, const Condition& condition) const;
  Leased end_lease(LeasedIterator lease);
  void try_next(std::vector<Attempt> attempts);
  void take_back(std::size_t device, const std::string& why);
  void quarantine_or_give_up(const Leased& lease, Loss& loss, std::vector<SequenceResult>& given_up);
  void give_up_overdue(Clock::time_point now);
  void give_up_unresponsive(Clock::time_point now);
  void cancel(StopReason reason);
  void deliver(Delivery delivery);

  // For Lease.
  bool complete(std::uint64_t ticket, std::vector<SequenceResult> results);
  bool fail(std::uint64_t ticket, Trouble trouble, const std::string& what);
  void give_back(std::uint64_t ticket);

  const PipelineJob job_;
  const std::shared_ptr<StopToken> halt_;
  const Now now_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // A batch is in one of these four, or has gone to the consumer.
  std::deque<Attempt> waiting_;             // in the order in which they are begun
  std::deque<Attempt> quarantined_;         // to be computed when nothing waits any more, with nothing beside them
  std::map<std::uint64_t, Leased> leased_;  // by ticket
  std::deque<Delivery> finished_;
  // While so many wait for the consumer no batch is begun. One that prefetches is not to idle for a moment's delay.
  std::size_t most_finished_ = 0;

  std::vector<DeviceRecord> devices_;
  std::map<std::int64_t, std::int32_t> losses_;  // of devices, by row
  Watchdog watchdog_;
  double slowest_pace_ = 0;  // seconds for an operation, of all batches of this run
  std::uint64_t next_ticket_ = 1;
  bool short_of_time_ = false;
  StopReason reason_ = StopReason::none;
  Clock::time_point cancelled_at_;
  std::exception_ptr error_;
};

}  // namespace pleat
