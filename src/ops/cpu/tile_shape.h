// The shape of what AMX's tiles hold, for code with and without tiles: see tile_blocks.h.
#pragma once

#include <cstdint>

namespace pleat::cpu {

inline constexpr std::int64_t block_side = 32;    // rows, and columns, of a block
inline constexpr std::int64_t step_depth = 32;    // depths of a step
inline constexpr std::int64_t tile_halves = 512;  // bfloat16 numbers in a tile
inline constexpr std::int64_t step_halves = 2 * tile_halves;

// `n` rows, columns or depths filled up to whole blocks, or steps.
constexpr std::int64_t whole_blocks(std::int64_t n) { return (n + block_side - 1) / block_side * block_side; }
static_assert(step_depth == block_side);

}  // namespace pleat::cpu
