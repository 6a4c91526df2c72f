// The scheduler with simulated devices, consumer, signals and time: everything follows from a seed, on one thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "engine/scheduler.h"

namespace pleat {

// What becomes of a row wherever and whenever it is computed, unless devices are lost at it.
enum class Truth : std::uint8_t { ok, out_of_memory, compute_failed };

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed);

  // Runs to its end. What was wrong, one line each; empty: nothing.
  std::vector<std::string> run();

 private:
  enum class Fate : std::uint8_t { sound, stalls, hangs, dies, leaves };

  struct Row {
    double need = 0;      // of memory
    bool odd = false;     // fails wherever it is computed
    bool touchy = false;  // fails beside anything
    bool poison = false;  // takes the device with it
  };
  struct Begun {
    Lease lease;
    bool short_of_memory = false;
    bool beside = false;  // something was under way in the same memory when it was begun
  };
  struct SimulatedDevice {
    Fate fate = Fate::sound;
    std::string memory;
    std::size_t most_leases = 1;
    double speed = 1;
    int batches_to_fate = 0;  // so many are computed before it befalls the device
    std::deque<Begun> begun;
    bool computing = false;  // a finish is to come, or never will
    bool stuck = false;      // inside a call for ever
    bool gone = false;       // its thread has ended
  };
  struct Event {
    double at = 0;
    std::uint64_t order = 0;
    std::function<void()> happen;
    bool operator<(const Event& other) const { return std::tie(other.at, other.order) < std::tie(at, order); }
  };

  double uniform(double low, double high) { return std::uniform_real_distribution<double>(low, high)(random_); }
  std::int64_t whole(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  }
  bool chance(double probability) { return uniform(0, 1) < probability; }

  void make_rows();
  void make_devices();
  void make_troubles();
  void start();
  void later(double seconds, std::function<void()> happen);
  void complain(const std::string& what);

  // What a worker does.
  void step(std::size_t device);
  void step_idle_ones();
  void begin(std::size_t device, Lease lease);
  void compute_first(std::size_t device);
  void finish_first(std::size_t device);
  void drop_all(std::size_t device);
  [[nodiscard]] bool befalls(SimulatedDevice& device) const;
  void befall(std::size_t device);

  void consume();
  void hear(const Delivery& delivery);
  void tick();

  [[nodiscard]] double need_of(const Attempt& attempt) const;
  [[nodiscard]] Truth truth_of(std::int64_t row) const;
  [[nodiscard]] double in_use(const std::string& memory) const;
  [[nodiscard]] bool any_beside(std::size_t device, const Begun* but) const;
  [[nodiscard]] bool holds(std::size_t device) const;
  void check_outcome(const SequenceResult& result);
  void check_end();

  std::mt19937_64 random_;
  PipelineJob job_;
  std::vector<Row> rows_;
  std::vector<std::int64_t> chunks_;
  double memory_ = 0;
  std::deque<SimulatedDevice> devices_;  // as they cannot be copied
  double write_seconds_ = 0;             // for each delivery
  std::int64_t slow_write_ = -1;         // the number of a delivery that takes long
  std::int64_t failing_write_ = -1;
  std::optional<double> signal_at_;

  std::priority_queue<Event> events_;
  std::uint64_t order_ = 0;
  double now_ = 0;
  std::shared_ptr<StopToken> halt_ = std::make_shared<StopToken>();
  std::shared_ptr<Scheduler> scheduler_;

  std::int64_t deliveries_ = 0;
  bool consumer_ended_ = false;
  bool failed_ = false;
  std::set<std::int64_t> delivered_;
  std::map<std::int64_t, std::int32_t> losses_;
  std::vector<std::string> complaints_;
};

}  // namespace pleat
