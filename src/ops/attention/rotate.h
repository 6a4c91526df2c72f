// Rotary positions on the processor. Included by the kernels' source files, see cpu/vector.h.
#pragma once

#include "ops/cpu/vector.h"

namespace pleat::cpu {
namespace {

// Numbers turned at once: a divisor of half of every published head, so that none is turned number by number.
constexpr std::int64_t turned_at_once = 4;
using Turned = float __attribute__((vector_size(turned_at_once * sizeof(float))));

inline Turned load_turned(const float* from) {
  Turned v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

inline Turned load_turned(const std::uint16_t* from) {
  std::uint16_t __attribute__((vector_size(turned_at_once * sizeof(std::uint16_t)))) bits;
  std::memcpy(&bits, from, sizeof bits);
  using Bits = std::uint32_t __attribute__((vector_size(turned_at_once * sizeof(std::uint32_t))));
  return std::bit_cast<Turned>(__builtin_convertvector(bits, Bits) << 16);
}

// One token's vector, scaled and turned by its position.
template <class T>
inline void rotate(const T* __restrict x, std::int64_t head_dim, const float* __restrict cos,
                   const float* __restrict sin, float scale, float* __restrict out) {
  const std::int64_t half = head_dim / 2;
  std::int64_t i = 0;
  for (; i + turned_at_once <= half; i += turned_at_once) {
    const Turned first = load_turned(x + i) * scale;
    const Turned second = load_turned(x + i + half) * scale;
    const Turned turned_first = first * load_turned(cos + i) - second * load_turned(sin + i);
    const Turned turned_second = second * load_turned(cos + i) + first * load_turned(sin + i);
    std::memcpy(out + i, &turned_first, sizeof turned_first);
    std::memcpy(out + i + half, &turned_second, sizeof turned_second);
  }
  for (; i < half; ++i) {
    const float first = widen(x[i]) * scale;
    const float second = widen(x[i + half]) * scale;
    out[i] = first * cos[i] - second * sin[i];
    out[i + half] = second * cos[i] + first * sin[i];
  }
}

}  // namespace
}  // namespace pleat::cpu
