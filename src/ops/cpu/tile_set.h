// The functions of one table of kernels by tiles, in the namespace of what a file is compiled for; see
// instruction_set.h.
#pragma once

#include "ops/cpu/tile_kernels.h"

namespace pleat::cpu::PLEAT_INSTRUCTION_SET {

void tile_linear(const TileLinear& job, TileScratch& scratch);
void pack_keys_values(const AttentionHead& head, AttentionScratch& scratch);
void attention_tile(const AttentionHead& head, std::int64_t q_begin, std::int64_t tile, AttentionScratch& scratch);
void transition(const Run& run, const TilePairTransition& job, PairScratch& scratch);
void outer_update(const Run& run, const TileOuterUpdate& job, PairScratch& scratch);
void triangle_attention(const TileTriangleAttentionRow& job, PairScratch& scratch);
void triangle_project(const Run& run, const TileTriangleProjection& job, std::int64_t first, std::int64_t count,
                      std::uint16_t* const out[2], std::int64_t plane, PairScratch& scratch);
void triangle_product(const std::uint16_t* a, const std::uint16_t* b, std::int64_t stride, float* out,
                      std::int64_t out_stride, std::int64_t length, PairScratch& scratch);
void triangle_output(const Run& run, const TileTriangleOutput& job, const float* x, std::int64_t plane,
                     PairScratch& scratch);

}  // namespace pleat::cpu::PLEAT_INSTRUCTION_SET
