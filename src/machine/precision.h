// Which arithmetic a run computes in.
#pragma once

#include <ATen/core/ScalarType.h>

#include <optional>
#include <string>

#include "machine/devices.h"
#include "manifest/manifest.h"

namespace pleat {

// What run.precision comes to, never `automatic`. All devices of a run compute in the same, so that no result depends
// on which of them it came from: `auto` is bfloat16 where every GPU of the run is of compute capability 8.0 or newer,
// and float32 where one is older, and on the processor. A pure function. Throws Error(no_device) where a device of the
// run does not compute in what is asked for.
[[nodiscard]] Precision resolve_precision(Precision wanted, const DeviceChoice& devices);

// The type that linear layers are kept in.
[[nodiscard]] at::ScalarType element_type(Precision precision);

// "float32", "tf32", "bfloat16" or "float16", as files and logs have it.
[[nodiscard]] std::string precision_name(Precision precision);
// What precision_name() has named; nothing for any other text.
[[nodiscard]] std::optional<Precision> precision_named(const std::string& name);
// The same for people: "bfloat16 (run.precision: auto)" where it was not asked for by name.
[[nodiscard]] std::string precision_text(Precision wanted, Precision resolved);

// Lets LibTorch's products of float32 on GPUs go through TF32, or not; for the whole process. Where coordinates are
// computed they never do, see at::NoTF32Guard.
void allow_tf32(Precision precision);

}  // namespace pleat
