// Element types of tensors at rest: in checkpoints, in results, between a device and the writer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pleat {

enum class DType : std::uint8_t { float32, float16, bfloat16, int64, uint8 };

[[nodiscard]] constexpr std::size_t size_of(DType type) {
  switch (type) {
    case DType::float32: return 4;
    case DType::float16:
    case DType::bfloat16: return 2;
    case DType::int64: return 8;
    case DType::uint8: return 1;
  }
  return 0;
}

// The name used in manifests, messages and file attributes: "float16".
[[nodiscard]] constexpr std::string_view name_of(DType type) {
  switch (type) {
    case DType::float32: return "float32";
    case DType::float16: return "float16";
    case DType::bfloat16: return "bfloat16";
    case DType::int64: return "int64";
    case DType::uint8: return "uint8";
  }
  return "?";
}

[[nodiscard]] std::optional<DType> dtype_from_name(std::string_view name);

}  // namespace pleat
