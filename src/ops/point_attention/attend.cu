#include "ops/cuda/device.cuh"
#include "ops/cuda/launch.cuh"
#include "ops/point_attention/kernels.h"

namespace pleat::cuda::point_attention {
namespace {

// A block has `rows` queries, a warp one head of them. Keys come in tiles of 32: a lane scores one key; then each lane
// sums four channels of pairs and up to two numbers of values over the tile's keys. The tile's rows of the pair state
// serve all heads, so they go through shared memory, and those of the next tile are prefetched. The softmax keeps a
// running maximum. Two queries to a block halve what is read of keys and values, which come from the L2 cache.
//   reads a pair once: 512 bytes and 48 of bias; keys and values: 1632 bytes of L2 a pair
//   about 2500 multiply-adds a pair: L = 1024: .13 ms at 40 TFLOP/s, .17 ms of memory at 3.0 TB/s
constexpr int rows = 2;
constexpr int tile = 32;
constexpr int stages = 2;
constexpr int threads = heads * 32;
constexpr int row_bytes = channels * 4;
constexpr int stage_bytes = rows * tile * row_bytes;
constexpr int query_at = stages * stage_bytes;
constexpr int weight_at = query_at + heads * rows * key_floats * 4;
constexpr int shared_bytes = weight_at + heads * rows * tile * 4;
static_assert(3 * value_points <= tile, "a warp's points take the place of its weights");
static_assert(value_floats > 32 && value_floats <= 64, "two numbers of a value to a lane");

struct Softmax {
  float largest;
  float sum;  // of this lane's keys
};

// The weight of this lane's key, and by how much what was summed before shrinks.
__device__ __forceinline__ float2 weigh(float score, Softmax& state) {
  float largest = fmaxf(state.largest, score);
#pragma unroll
  for (int offset = 16; offset > 0; offset /= 2) largest = fmaxf(largest, shuffle_xor(largest, offset));
  const float shrink = exponential(state.largest - largest);
  const float weight = exponential(score - largest);
  state.largest = largest;
  state.sum = state.sum * shrink + weight;
  return make_float2(weight, shrink);
}

__device__ __forceinline__ float score_of(const float* query, const float4 (&key)[key_floats / 4], float point_weight,
                                          float scale) {
  float product = 0.0f, squares = 0.0f;
#pragma unroll
  for (int i = 0; i < key_floats / 4; ++i) {
    const float4 q = reinterpret_cast<const float4*>(query)[i];
    if (i < width / 4) {
      product += q.x * key[i].x + q.y * key[i].y + q.z * key[i].z + q.w * key[i].w;
    } else {  // from direct differences: a product of the points would lose digits far from the origin
      const float x = q.x - key[i].x, y = q.y - key[i].y, z = q.z - key[i].z, w = q.w - key[i].w;
      squares += x * x + y * y + z * z + w * w;
    }
  }
  return product * scale - point_weight * squares;
}

__global__ void __launch_bounds__(threads) attend_kernel(Input input, Buffers buffers, float* out, int length) {
  PLEAT_SHARED_MEMORY(shared);
  const std::uint32_t base = shared_address(shared);
  const int tid = threadIdx.x, lane = tid & 31, head = warp_of(tid);
  const int first = blockIdx.x * rows;
  // Beyond the last it is the last again, which is not written.
  const auto row_of = [&](int r) { return min(first + r, length - 1); };
  float* const queries = reinterpret_cast<float*>(shared + query_at) + head * rows * key_floats;
  float* const weights = reinterpret_cast<float*>(shared + weight_at) + head * rows * tile;
  const std::size_t of_head = static_cast<std::size_t>(head) * length;

  const auto load_tile = [&](int begin, int stage) {
    for (int r = 0; r < rows; ++r) {
      const float* const from = input.pair + static_cast<std::size_t>(row_of(r)) * length * channels;
      for (int i = tid; i < tile * (channels / 4); i += threads) {
        const int key = i / (channels / 4), chunk = i % (channels / 4);
        copy16(base + stage * stage_bytes + (r * tile + key) * row_bytes + chunk * 16,
               from + static_cast<std::size_t>(begin + key) * channels + chunk * 4, begin + key < length);
      }
    }
    commit_copies();
  };

  load_tile(0, 0);
  for (int i = lane; i < rows * key_floats; i += 32) {
    queries[i] = buffers.queries[(of_head + row_of(i / key_floats)) * key_floats + i % key_floats];
  }
  sync_warp();

  Softmax softmax[rows];
  float4 pairs[rows];
  float values[rows][2];
#pragma unroll
  for (int r = 0; r < rows; ++r) {
    softmax[r] = {-INFINITY, 0.0f};
    pairs[r] = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    values[r][0] = values[r][1] = 0.0f;
  }
  const float point_weight = input.point_weight[head];
  const float scale = 0.144337567297406441f;  // 1 / sqrt(3 width)
  const bool has_second = lane < value_floats - 32;

  int stage = 0;
  for (int begin = 0; begin < length; begin += tile) {
    const bool is_last = begin + tile >= length;
    if (!is_last) load_tile(begin + tile, stage ^ 1);
    const int mine = min(begin + lane, length - 1);
    float4 key[key_floats / 4];
#pragma unroll
    for (int i = 0; i < key_floats / 4; ++i)
      key[i] = reinterpret_cast<const float4*>(buffers.keys + (of_head + mine) * key_floats)[i];
#pragma unroll
    for (int r = 0; r < rows; ++r) {
      float score = score_of(queries + r * key_floats, key, point_weight, scale);
      score += input.bias[(of_head + row_of(r)) * length + mine];
      const float2 weighed = weigh(begin + lane < length ? score : -INFINITY, softmax[r]);
      weights[r * tile + lane] = weighed.x;
      pairs[r] =
          make_float4(pairs[r].x * weighed.y, pairs[r].y * weighed.y, pairs[r].z * weighed.y, pairs[r].w * weighed.y);
      values[r][0] *= weighed.y;
      values[r][1] *= weighed.y;
    }
    if (is_last)
      wait_for_copies<0>();
    else
      wait_for_copies<1>();
    sync_block();  // the tile is there, and so are the warp's weights

    const int keys = min(tile, length - begin);
    const float* value = buffers.values + (of_head + begin) * value_floats + lane;
#pragma unroll 8
    for (int j = 0; j < keys; ++j, value += value_floats) {
      const float low = value[0];
      const float high = has_second ? value[32] : 0.0f;
#pragma unroll
      for (int r = 0; r < rows; ++r) {
        const float w = weights[r * tile + j];
        const float4 z = load_shared(base + stage * stage_bytes + (r * tile + j) * row_bytes + lane * 16);
        pairs[r] = make_float4(pairs[r].x + w * z.x, pairs[r].y + w * z.y, pairs[r].z + w * z.z, pairs[r].w + w * z.w);
        values[r][0] += w * low;
        values[r][1] += w * high;
      }
    }
    sync_block();  // the tile has been read, and so have the weights
    stage ^= 1;
  }

#pragma unroll
  for (int r = 0; r < rows; ++r) {
    float sum = softmax[r].sum;
#pragma unroll
    for (int offset = 16; offset > 0; offset /= 2) sum += shuffle_xor(sum, offset);
    float* const to = out + static_cast<std::size_t>(first + r) * mixed_width;
    float* const points = weights + r * tile;  // x, y and z of all
    const bool written = first + r < length;
    if (lane >= width) points[lane - width] = values[r][0] / sum;
    if (has_second) points[32 - width + lane] = values[r][1] / sum;
    sync_warp();
    if (!written) continue;
    if (lane < width) to[head * width + lane] = values[r][0] / sum;
    if (lane < value_points) {
      const float* const rotation = input.rotations + 9 * (first + r);
      const float* const translation = input.translations + 3 * (first + r);
      const float x = points[lane] - translation[0];
      const float y = points[value_points + lane] - translation[1];
      const float z = points[2 * value_points + lane] - translation[2];
      float squares = input.epsilon;
#pragma unroll
      for (int c = 0; c < 3; ++c) {
        const float local = rotation[c] * x + rotation[3 + c] * y + rotation[6 + c] * z;
        to[heads * width + (c * heads + head) * value_points + lane] = local;
        squares += local * local;
      }
      to[heads * (width + 3 * value_points) + head * value_points + lane] = square_root(squares);
    }
    reinterpret_cast<float4*>(to + heads * (width + 4 * value_points) + head * channels)[lane] =
        make_float4(pairs[r].x / sum, pairs[r].y / sum, pairs[r].z / sum, pairs[r].w / sum);
  }
}

}  // namespace

bool suits(const Gpu& gpu) { return gpu.capability >= 80 && gpu.shared_bytes >= shared_bytes; }

cudaError_t attend(const Input& input, const Buffers& buffers, float* out, int length, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>((length + rows - 1) / rows));
  return launch(attend_kernel, {grid, threads, shared_bytes, stream}, input, buffers, out, length);
}

}  // namespace pleat::cuda::point_attention
