// Batches to results on many devices: each is owned by one worker, all lease from the scheduler, and one consumer takes
// what they make. Devices may run out of memory, be lost or hang; a failure belongs to one sequence.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/stop.h"
#include "engine/device.h"
#include "engine/pipeline_job.h"

namespace pleat {

// Hears what happens, on one thread, one call at a time.
class PipelineConsumer {
 public:
  virtual ~PipelineConsumer() = default;
  virtual void take(SequenceResult result) = 0;
  // After the results of each batch, and now and then while none come.
  virtual void on_idle() {}
  // A device is lost; the rows it was at are computed by another, or, when they have cost two devices, not at all.
  virtual void lose_device(const std::string& device, const std::string& why,
                           const std::vector<std::int64_t>& rows) = 0;
  // Something that the user should know, and that changes no result.
  virtual void warn(const std::string& line) = 0;
};

enum class PipelineEnd : std::uint8_t { all_done, no_time_left, no_device_left };

struct PipelineOutcome {
  PipelineEnd end = PipelineEnd::all_done;
  // Workers whose device hangs inside a call: their threads still live, and hold their devices.
  std::int64_t hanging = 0;
};

// Runs the body on a new thread. Throws std::system_error where none can be made.
using ThreadMaker = std::function<std::thread(std::function<void()> body)>;
[[nodiscard]] std::thread make_thread(std::function<void()> body);

// What the machine gives a pipeline; tests give something else.
struct PipelineSystem {
  ThreadMaker make = make_thread;
  // Called by any thread, also by one that is left behind.
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};

// Computes every batch. Throws what `consumer` throws, Error(retry) where no thread can be made for any device, or
// Stopped once a signal has asked `halt` to stop, or the token above it: then within ten seconds, whatever the devices
// do. `halt` is what the devices look at, and nobody else: they are asked to drop what they compute at the deadline,
// and when something has failed, too, and throw Stopped. Devices and `halt` are shared so that a device that hangs can
// be left behind.
PipelineOutcome run_pipeline(const PipelineJob& job, const std::vector<std::shared_ptr<Device>>& devices,
                             PipelineConsumer& consumer, const std::shared_ptr<StopToken>& halt,
                             const PipelineSystem& system = {});

}  // namespace pleat
