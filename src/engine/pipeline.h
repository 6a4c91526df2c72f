// Batches to results on many devices: each is owned by one worker, all pull from the plan, and one consumer takes what
// they make. Devices may run out of memory, be lost or hang; a failure belongs to one sequence.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/stop.h"
#include "engine/device.h"
#include "plan/batches.h"

namespace pleat {

struct PipelineJob {
  // In the order in which they are to be begun: the most expensive first.
  std::vector<Batch> batches;
  std::vector<std::int64_t> tokens;  // of each row
  std::vector<double> flops;         // of each row
  // Rows in whose computation devices were lost, in earlier runs.
  std::map<std::int64_t, std::int32_t> lost;
  bool lower_precision = false;  // may be tried when memory runs out
  // After this many seconds a batch's device counts as hanging; 0 = by Device::slowest_rate().
  double batch_timeout = 0;
  // No batch is begun that is not expected to end before this moment, and one that does not is dropped then.
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

// Hears what happens, on one thread, one call at a time.
class PipelineConsumer {
 public:
  virtual ~PipelineConsumer() = default;
  virtual void take(SequenceResult result) = 0;
  // After the results of each batch, and now and then while none come.
  virtual void breathe() {}
  // A device is lost; the rows it was at are computed by another, or, when they have cost two devices, not at all.
  virtual void lose_device(const std::string& device, const std::string& why,
                           const std::vector<std::int64_t>& rows) = 0;
};

enum class PipelineEnd : std::uint8_t { all_done, no_time_left, no_device_left };

struct PipelineOutcome {
  PipelineEnd end = PipelineEnd::all_done;
  // Workers whose device hangs inside a call: their threads still live, and hold their devices.
  std::int64_t hanging = 0;
};

// A row that has cost so many devices is given up.
inline constexpr std::int32_t losses_allowed = 2;

// Computes every batch. Throws what `consumer` throws, or Stopped once `stop` holds a signal: then within ten seconds,
// whatever the devices do. `halt` is what the devices look at: it gets the signal's number, or another one where they
// are to drop what they compute for another reason, and they throw Stopped. Devices and `halt` are shared so that a
// device that hangs can be left behind.
PipelineOutcome run_pipeline(const PipelineJob& job, const std::vector<std::shared_ptr<Device>>& devices,
                             PipelineConsumer& consumer, const StopFlag& stop, const std::shared_ptr<StopFlag>& halt);

}  // namespace pleat
