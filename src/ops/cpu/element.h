// How the elements of an activation lie in memory; arithmetic is always in float.
#pragma once

#include <cstdint>

namespace pleat::cpu {

enum class Element : std::uint8_t { float32, bfloat16 };

}  // namespace pleat::cpu
