// A device computes sequences. One worker owns it; nothing else touches it.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/record_code.h"
#include "results/result_writer.h"

namespace pleat {

// How sequences are to be computed when the planned way needs too much memory, or gave no numbers.
struct Effort {
  std::int64_t chunk_size = 0;  // of folding, or the most tokens of a pass of scores; 0 = as planned
  bool in_float32 = false;      // whatever the run's precision is
  bool operator==(const Effort&) const = default;
};

// What was asked for needs more memory than there is; the device itself is sound.
class OutOfMemory : public std::exception {
 public:
  [[nodiscard]] const char* what() const noexcept override { return "out of memory"; }
};

// The device will compute nothing any more.
class DeviceLost : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The failure of one sequence.
[[nodiscard]] SequenceResult failed_result(std::int64_t row, RecordCode code, std::string message);

// What has been begun: called once, gives the results or throws, as Device::compute.
using Pending = std::function<std::vector<SequenceResult>()>;

class Device {
 public:
  virtual ~Device() = default;
  // As written into /records/device: "cpu:0".
  [[nodiscard]] virtual std::string name() const = 0;
  // The results of these rows, in their order. Throws OutOfMemory or another exception when the rows cannot be computed
  // together, DeviceLost, and Stopped when the run is to end. A sequence that alone could not be folded comes back as
  // failed, with RecordCode::out_of_memory where that is why. SequenceResult::seconds is the time that was spent on
  // that sequence alone, 0 where all went together.
  [[nodiscard]] virtual std::vector<SequenceResult> compute(const std::vector<std::int64_t>& rows,
                                                            const Effort& effort) = 0;

  // Whether the device computes by itself once it knows what, so that it need not wait while the results of one batch
  // are taken from it and the next one is prepared.
  [[nodiscard]] virtual bool prefetches() const { return false; }
  // Begins to compute these rows as planned. A device that prefetches returns when it knows what to do, and computes
  // in the order in which it was told; another one does nothing until the results are asked for. The device must
  // outlive what it returns. Throws as compute().
  [[nodiscard]] virtual Pending begin(const std::vector<std::int64_t>& rows) {
    return [this, rows] { return compute(rows, {}); };
  }

  // The memory that it computes in, by a name: devices that share theirs give the same.
  [[nodiscard]] virtual std::string memory() const { return name(); }
  // What may be tried when memory runs out: chunk sizes below the planned one, largest first.
  [[nodiscard]] virtual std::vector<std::int64_t> smaller_chunks() const { return {}; }
  // Whether it computes in 16 bits and can do so in float32, see Effort: what comes back as RecordCode::not_finite is
  // then computed again.
  [[nodiscard]] virtual bool has_float32() const { return false; }
  // For the record of a sequence that failed all the same: "it would need about 12.3 GB beside the weights".
  [[nodiscard]] virtual std::string need_of(std::int64_t row) const = 0;
  // Floating-point operations a second that a sound device does at the very least; one that is much slower than that
  // hangs. 0: this device never hangs.
  [[nodiscard]] virtual double slowest_rate() const { return 0; }
};

}  // namespace pleat
