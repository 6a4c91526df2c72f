// The functions of one table of kernels, in the namespace of the instruction set that a file is compiled for. CMake
// gives each of these files its options and PLEAT_INSTRUCTION_SET; what they do is said in kernels.h.
#pragma once

#include "ops/cpu/kernels.h"

namespace pleat::cpu::PLEAT_INSTRUCTION_SET {

void pack_keys_values(const AttentionHead& head, AttentionScratch& scratch);
void attention_tile(const AttentionHead& head, std::int64_t q_begin, std::int64_t tile, AttentionScratch& scratch);
void add_layer_norm(float* residual, const void* update, Element update_element, const float* weight, const float* bias,
                    float eps, std::int64_t width, void* out, Element out_element);
void pair_bias(const Run& run, std::int64_t channels, const Norm& norm, const float* weight, std::int64_t heads,
               float* bias, std::int64_t plane, PairScratch& scratch);
void triangle_project(const Run& run, const TriangleProjection& job, std::int64_t first, std::int64_t count,
                      float* const out[2], std::int64_t plane, PairScratch& scratch);
void triangle_product(const float* a, const float* b, float* out, std::int64_t length, std::int64_t stride,
                      PairScratch& scratch);
void triangle_output(const Run& run, const TriangleOutput& job, const float* x, std::int64_t plane,
                     PairScratch& scratch);
void triangle_attention(const TriangleAttentionRow& job, PairScratch& scratch);
void transition(const Run& run, const PairTransition& job, PairScratch& scratch);
void outer_update(const Run& run, const OuterUpdate& job, PairScratch& scratch);
void biased_attention(const BiasedHead& head, PairScratch& scratch);
void linear(const LinearColumns& job, PairScratch& scratch);

}  // namespace pleat::cpu::PLEAT_INSTRUCTION_SET
