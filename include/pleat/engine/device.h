// A device computes sequences. One worker owns it; nothing else touches it.
#pragma once

#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "pleat/store/result_writer.h"

namespace pleat {

// How sequences are to be computed when the planned way needs too much memory.
struct Effort {
  std::int64_t chunk_size = 0;   // of folding; 0 = as planned
  bool lower_precision = false;  // of folding
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

// The error code of a result whose sequence ran out of memory; part of the file format.
inline constexpr const char* error_out_of_memory = "out_of_memory";

// The failure of one sequence. The code is part of the file format.
[[nodiscard]] SequenceResult failed_result(std::int64_t row, const char* code, std::string message);

class Device {
 public:
  virtual ~Device() = default;
  // As written into /records/device: "cpu:0".
  [[nodiscard]] virtual std::string name() const = 0;
  // The results of these rows, in their order. Throws OutOfMemory or another exception when the rows cannot be computed
  // together, DeviceLost, and Stopped when the run is to end. A sequence that alone could not be folded comes back as
  // failed, with error_out_of_memory where that is why. SequenceResult::seconds is the time that was spent on that
  // sequence alone, 0 where all went together.
  [[nodiscard]] virtual std::vector<SequenceResult> compute(const std::vector<std::int64_t>& rows,
                                                            const Effort& effort) = 0;

  // What may be tried when memory runs out: chunk sizes below the planned one, largest first, and lower precision.
  [[nodiscard]] virtual std::vector<std::int64_t> smaller_chunks() const { return {}; }
  [[nodiscard]] virtual bool has_lower_precision() const { return false; }
  // For the record of a sequence that failed all the same: "it would need about 12.3 GB beside the weights".
  [[nodiscard]] virtual std::string need_of(std::int64_t row) const = 0;
  // Floating-point operations a second that a sound device does at the very least; one that is much slower than that
  // hangs. 0: this device never hangs.
  [[nodiscard]] virtual double slowest_rate() const { return 0; }
};

}  // namespace pleat
