// A device computes batches. One worker owns it; nothing else touches it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pleat/store/result_writer.h"

namespace pleat {

class Device {
 public:
  virtual ~Device() = default;
  // As written into /records/device: "cpu:0".
  [[nodiscard]] virtual std::string name() const = 0;
  // The results of these rows, in their order. Throws when the batch as a whole cannot be computed, and Stopped when
  // the run is to end; a sequence whose numbers are not usable, or which alone could not be folded, comes back marked
  // as failed. SequenceResult::seconds is the time that was spent on that sequence alone, 0 where all went together.
  [[nodiscard]] virtual std::vector<SequenceResult> compute(const std::vector<std::int64_t>& rows) = 0;
};

// What `run.devices` asks for: auto and cpu are the processor. Throws Error(no_device) for anything this build or
// machine has not got.
void check_devices(const std::string& devices);

// Whether the processor computes in bfloat16 by itself.
[[nodiscard]] bool cpu_has_bfloat16();

}  // namespace pleat
