// What is tried next when a batch fails, rung by rung: a smaller batch, a smaller chunk, and at last the sequence
// alone, with nothing beside it in the device's memory. What gave NaN or infinity in 16 bits is computed in float32.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/device.h"
#include "engine/pipeline_job.h"

namespace pleat {

// A batch, and how it is computed.
struct Attempt {
  Batch batch;
  Effort effort = {};
  std::int32_t number = 1;                // 1 = the first
  MemoryRung rung = MemoryRung::planned;  // what its results say
  bool alone = false;                     // to be computed with nothing beside it
  double seconds_before = 0;              // that earlier attempts took, its share of them
};

enum class Trouble : std::uint8_t { memory, numbers, other };

// What is to be computed in place of `failed`, in order; nothing when everything was tried, for a single row.
// `company`: something else was computed in the same memory meanwhile, and may be why it failed. `chunks`: those that
// the device can do, Device::smaller_chunks(). `numbers`, that they are not finite, is only for devices with
// Device::has_float32(). A pure function.
[[nodiscard]] std::vector<Attempt> next_attempts(const Attempt& failed, Trouble trouble, bool company,
                                                 const std::vector<std::int64_t>& chunks, const PipelineJob& job);

// Some of the rows of an attempt, as it is but for its number, which is the next.
[[nodiscard]] Attempt part_of(const Attempt& whole, std::vector<std::int64_t> rows, const PipelineJob& job);

}  // namespace pleat
