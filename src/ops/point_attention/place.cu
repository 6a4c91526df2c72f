#include "ops/cuda/device.cuh"
#include "ops/cuda/launch.cuh"
#include "ops/point_attention/kernels.h"

namespace pleat::cuda::point_attention {
namespace {

constexpr int threads = 128;

// `count` points x, y, z with a stride of `apart` numbers between their coordinates, from the frame to the global one;
// to[coordinate * all + point].
__device__ __forceinline__ void move_points(const float* from, int apart, int count, const float* rotation,
                                            const float* translation, float* to, int all) {
  for (int n = 0; n < count; ++n) {
    const float x = from[n], y = from[apart + n], z = from[2 * apart + n];
    for (int c = 0; c < 3; ++c) {
      const float* const r = rotation + 3 * c;
      to[c * all + n] = r[0] * x + r[1] * y + r[2] * z + translation[c];
    }
  }
}

// A thread for each position and head: 232 numbers read, 96 of which are written in another order.
__global__ void __launch_bounds__(threads) place_kernel(Input input, Buffers buffers, int length) {
  const int item = blockIdx.x * threads + threadIdx.x;
  if (item >= length * heads) return;
  const int head = item / length, position = item - head * length;
  const float* const row = input.projected + static_cast<std::size_t>(position) * projected_width;
  const float* const rotation = input.rotations + 9 * position;
  const float* const translation = input.translations + 3 * position;
  const std::size_t at = static_cast<std::size_t>(head) * length + position;
  float* const query = buffers.queries + at * key_floats;
  float* const key = buffers.keys + at * key_floats;
  float* const value = buffers.values + at * value_floats;

  const float* const scalars = row + head * width;
  const float* const keys_values = row + heads * width + head * 2 * width;
  for (int c = 0; c < width; ++c) {
    query[c] = scalars[c];
    key[c] = keys_values[c];
    value[c] = keys_values[width + c];
  }
  constexpr int all_points = query_points + value_points;
  const float* const own_points = row + 3 * heads * width + head * query_points;
  const float* const others = row + 3 * heads * width + 3 * heads * query_points + head * all_points;
  move_points(own_points, heads * query_points, query_points, rotation, translation, query + width, query_points);
  move_points(others, heads * all_points, query_points, rotation, translation, key + width, query_points);
  move_points(others + query_points, heads * all_points, value_points, rotation, translation, value + width,
              value_points);
}

}  // namespace

cudaError_t place(const Input& input, const Buffers& buffers, int length, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>((length * heads + threads - 1) / threads));
  return launch(place_kernel, {grid, threads, 0, stream}, input, buffers, length);
}

}  // namespace pleat::cuda::point_attention
