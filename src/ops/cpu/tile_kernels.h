// The inner loops of ops/ that multiply bfloat16 numbers by tiles, with sums in float32: one table for AMX, and one of
// plain arithmetic in its place for tests. What a function does is what that of the same name in kernels.h does.
#pragma once

#include <cstdint>
#include <vector>

#include "ops/attention/cpu.h"
#include "ops/cpu/pair.h"
#include "ops/cpu/tile_shape.h"
#include "ops/linear/tile_linear.h"
#include "ops/pair_transition/cpu.h"
#include "ops/sequence_to_pair/cpu.h"
#include "ops/triangle_attention/cpu.h"
#include "ops/triangle_multiplication/cpu.h"

namespace pleat::cpu {

struct TileKernels {
  const char* name;
  void (*linear)(const TileLinear& job, TileScratch& scratch);
  // For heads of bfloat16 numbers.
  void (*pack_keys_values)(const AttentionHead& head, AttentionScratch& scratch);
  void (*attention_tile)(const AttentionHead& head, std::int64_t q_begin, std::int64_t tile, AttentionScratch& scratch);
  void (*transition)(const Run& run, const TilePairTransition& job, PairScratch& scratch);
  void (*outer_update)(const Run& run, const TileOuterUpdate& job, PairScratch& scratch);
  void (*triangle_attention)(const TileTriangleAttentionRow& job, PairScratch& scratch);
  // out[half][c * plane + r] for `count` channels from `first` on, a multiple of 32. Places from run.count on, up to a
  // multiple of 32, become zero.
  void (*triangle_project)(const Run& run, const TileTriangleProjection& job, std::int64_t first, std::int64_t count,
                           std::uint16_t* const out[2], std::int64_t plane, PairScratch& scratch);
  // out[i, j] = sum over k of a[i, k] * b[j, k]; a and b [length, stride], stride a multiple of 32 and zero from length
  // on; out [length, out_stride], in whole registers.
  void (*triangle_product)(const std::uint16_t* a, const std::uint16_t* b, std::int64_t stride, float* out,
                           std::int64_t out_stride, std::int64_t length, PairScratch& scratch);
  void (*triangle_output)(const Run& run, const TileTriangleOutput& job, const float* x, std::int64_t plane,
                          PairScratch& scratch);
};

// A weight [out, in] as a right operand [in, out], and as a left one [out, in]; both take as many numbers. See
// tile_operands.h for how they lie.
std::int64_t tiles_size(std::int64_t in, std::int64_t out);
void pack_right_tiles(const std::uint16_t* weight, std::int64_t in, std::int64_t out, std::uint16_t* panels);
void pack_left_tiles(const std::uint16_t* weight, std::int64_t in, std::int64_t out, std::uint16_t* blocks);

// What is used: those of the processor's path, nullptr where it has no tiles, unless a test has chosen others.
const TileKernels* tile_kernels();
const TileKernels* tile_kernels_of_the_path();
void use_tile_kernels(const TileKernels* kernels);
// Those that this processor can run, and last the plain arithmetic that stands for AMX in tests.
const std::vector<const TileKernels*>& usable_tile_kernels();

}  // namespace pleat::cpu
