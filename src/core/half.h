// IEEE binary16 and bfloat16 as bits, for the code that must not see LibTorch.
#pragma once

#include <bit>
#include <cstdint>

namespace pleat {

// Exact: every binary16 value is a binary32 value.
[[nodiscard]] float float_from_half(std::uint16_t bits);

// Round to nearest, ties to even; beyond 65504 becomes infinity.
[[nodiscard]] std::uint16_t half_from_float(float value);

[[nodiscard]] inline float float_from_bfloat16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

// The quiet NaN that stands in rows never computed.
inline constexpr std::uint16_t half_nan = 0x7e00;

}  // namespace pleat
