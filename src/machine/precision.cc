#include "machine/precision.h"

#include <ATen/Context.h>
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "core/error.h"

namespace pleat {
namespace {

// The first with tensor cores for bfloat16 and TF32.
constexpr int bfloat16_capability = 80;

std::string_view word_of(Precision precision) {
  switch (precision) {
    case Precision::automatic: return "auto";
    case Precision::float32: return "fp32";
    case Precision::tf32: return "tf32";
    case Precision::bfloat16: return "bf16";
    case Precision::float16: return "fp16";
  }
  return "";
}

// What a processor does not compute in.
bool is_for_gpus(Precision precision) { return precision == Precision::float16 || precision == Precision::tf32; }

bool needs_tensor_cores(Precision precision) {
  return precision == Precision::bfloat16 || precision == Precision::tf32;
}

}  // namespace

Precision resolve_precision(Precision wanted, const DeviceChoice& devices) {
  if (!devices.on_gpu()) {
    if (is_for_gpus(wanted)) {
      throw Error(ErrorCode::no_device,
                  fmt::format("run.precision is {}, which is not computed on a CPU", word_of(wanted)),
                  "set run.precision to fp32, bf16 or auto");
    }
    return wanted == Precision::automatic ? Precision::float32 : wanted;
  }
  const auto older =
      std::ranges::find_if(devices.gpus, [](int has) { return has < bfloat16_capability; }, &Gpu::capability);
  if (wanted == Precision::automatic) {
    return older == devices.gpus.end() ? Precision::bfloat16 : Precision::float32;
  }
  if (needs_tensor_cores(wanted) && older != devices.gpus.end()) {
    throw Error(
        ErrorCode::no_device,
        fmt::format("run.precision is {}, which cuda:{} ({}, compute capability {}.{}) does not compute in",
                    word_of(wanted), older->number, older->name, older->capability / 10, older->capability % 10),
        "set run.precision to fp32 or fp16, or leave that GPU out of run.devices");
  }
  return wanted;
}

at::ScalarType element_type(Precision precision) {
  switch (precision) {
    case Precision::float32:
    case Precision::tf32: return at::kFloat;
    case Precision::bfloat16: return at::kBFloat16;
    case Precision::float16: return at::kHalf;
    case Precision::automatic: break;
  }
  throw Error(ErrorCode::internal, "run.precision was not resolved");
}

std::string precision_name(Precision precision) {
  switch (precision) {
    case Precision::float32: return "float32";
    case Precision::tf32: return "tf32";
    case Precision::bfloat16: return "bfloat16";
    case Precision::float16: return "float16";
    case Precision::automatic: break;
  }
  throw Error(ErrorCode::internal, "run.precision was not resolved");
}

std::optional<Precision> precision_named(const std::string& name) {
  for (const Precision precision : {Precision::float32, Precision::tf32, Precision::bfloat16, Precision::float16}) {
    if (precision_name(precision) == name) return precision;
  }
  return std::nullopt;
}

std::string precision_text(Precision wanted, Precision resolved) {
  return precision_name(resolved) + (wanted == Precision::automatic ? " (run.precision: auto)" : "");
}

void allow_tf32(Precision precision) { at::globalContext().setAllowTF32CuBLAS(precision == Precision::tf32); }

}  // namespace pleat
