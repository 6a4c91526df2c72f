// Invariant point attention on a GPU, all in float32: the published structure module's 12 heads of 16, 4 and 8 points,
// 128 channels of pairs. Two kernels, one after the other: `place` lays out queries, keys and values with their points
// in the global frame, `attend` does the rest.
#pragma once

#include "ops/cuda/launch.h"

namespace pleat::cuda::point_attention {

constexpr int heads = 12;
constexpr int width = 16;
constexpr int query_points = 4;
constexpr int value_points = 8;
constexpr int channels = 128;

constexpr int projected_width = heads * (3 * width + 3 * (2 * query_points + value_points));
constexpr int mixed_width = heads * (width + 4 * value_points + channels);
// Of a head and position: the scalars, then x, y and z of all points.
constexpr int key_floats = width + 3 * query_points;
constexpr int value_floats = width + 3 * value_points;

struct Input {
  const float* projected;     // [P, projected_width], as InvariantPointInput has it
  const float* rotations;     // [P, 3, 3]
  const float* translations;  // [P, 3]
  const float* pair;          // [P, P, channels]
  const float* bias;          // [heads, P, P]
  const float* point_weight;  // [heads]
  float epsilon;
};

struct Buffers {
  float* queries;  // [heads, P, key_floats]
  float* keys;     // [heads, P, key_floats]
  float* values;   // [heads, P, value_floats]
};

// Whether the kernels can run: shared memory of a block.
[[nodiscard]] bool suits(const Gpu& gpu);

cudaError_t place(const Input& input, const Buffers& buffers, int length, cudaStream_t stream);
// out [P, mixed_width], as invariant_point_attention returns it. A row's bits depend on nothing but its operands.
cudaError_t attend(const Input& input, const Buffers& buffers, float* out, int length, cudaStream_t stream);

}  // namespace pleat::cuda::point_attention
