#include <climits>

#include "ops/collect/kernels.h"
#include "ops/cuda/device.cuh"
#include "ops/cuda/launch.cuh"

namespace pleat::cuda::collect {
namespace {

// One block a chunk, and for the means one block a sequence; a thread has the same columns in all rows. Least traffic:
// 6 bytes a number with rows in float16, 8 in float32, 4 for means alone.
template <int Width>
struct ColumnShape {
  static constexpr int fours = Width / 4;
  static constexpr int threads = fours <= 320 ? (fours + 31) / 32 * 32 : 320;
  static constexpr int each = (fours + threads - 1) / threads;  // float4 a thread
  static constexpr int warps = threads / 32;
  static constexpr int at_once = each >= 4 ? 2 : each == 2 ? 4 : 8;  // rows whose loads are all on their way together
  static_assert(Width % 4 == 0 && (fours <= threads || fours % threads == 0), "");
  __device__ static __forceinline__ bool has_columns() {
    return fours % threads == 0 || static_cast<int>(threadIdx.x) < fours;
  }
};

// The least and the largest of some numbers, as integers in the order of the floats, with NaN beyond infinity on the
// side of its sign: so the one instruction that a warp has for this does not lose it.
struct Range {
  int least;
  int largest;
};
// Its own inverse.
__device__ __forceinline__ int ordered(int bits) { return bits ^ ((bits >> 31) & 0x7fffffff); }
__device__ __forceinline__ void extend(Range& range, float x) {
  const int key = ordered(as_int(x));
  range.least = min(range.least, key);
  range.largest = max(range.largest, key);
}
__device__ __forceinline__ void extend(Range& range, const float4& x) {
  extend(range, x.x);
  extend(range, x.y);
  extend(range, x.z);
  extend(range, x.w);
}
__device__ __forceinline__ Range range_of_warp(const Range& range) {
  return {min_in_warp(range.least), max_in_warp(range.largest)};
}
template <int Warps>
__device__ __forceinline__ void store_range(const Range (&of_warps)[Warps], float* least, float* largest) {
  Range range = of_warps[0];
#pragma unroll
  for (int w = 1; w < Warps; ++w) {
    range.least = min(range.least, of_warps[w].least);
    range.largest = max(range.largest, of_warps[w].largest);
  }
  *least = as_float(static_cast<std::uint32_t>(ordered(range.least)));
  *largest = as_float(static_cast<std::uint32_t>(ordered(range.largest)));
}

// Four numbers, at an address aligned to four of them.
__device__ __forceinline__ void store4(float* to, const float4& x) { *reinterpret_cast<float4*>(to) = x; }
__device__ __forceinline__ void store4(fp16* to, const float4& x) {
  *reinterpret_cast<uint2*>(to) = make_uint2(pack_fp16(x.x, x.y), pack_fp16(x.z, x.w));
}

template <class Out, int Width>
__global__ void __launch_bounds__(ColumnShape<Width>::threads)
    collect_kernel(const float* __restrict__ hidden, const std::int64_t* __restrict__ kept,
                   const std::int64_t* __restrict__ chunks, Out* __restrict__ rows, float* __restrict__ extents,
                   double* __restrict__ sums, std::int64_t row_count) {
  using Shape = ColumnShape<Width>;
  __shared__ std::int64_t tokens[Chunks::rows];
  __shared__ Range ranges[Chunks::rows][Shape::warps];
  const std::int64_t first = chunks[blockIdx.x];
  const int count = static_cast<int>(chunks[blockIdx.x + 1] - first);
  for (int i = threadIdx.x; i < count; i += Shape::threads) tokens[i] = kept[first + i];
  sync_block();
  const bool active = Shape::has_columns();
  double sum[Shape::each][4] = {};
  for (int begin = 0; begin < count; begin += Shape::at_once) {
    float4 x[Shape::at_once][Shape::each];
#pragma unroll
    for (int j = 0; j < Shape::at_once; ++j) {
      if (begin + j < count && active) {
        const float4* const from = reinterpret_cast<const float4*>(hidden + tokens[begin + j] * Width) + threadIdx.x;
#pragma unroll
        for (int i = 0; i < Shape::each; ++i) x[j][i] = load_once(from + i * Shape::threads);
      }
    }
#pragma unroll
    for (int j = 0; j < Shape::at_once; ++j) {
      if (begin + j >= count) continue;  // the same for the whole block
      if (sums != nullptr && active) {
#pragma unroll
        for (int i = 0; i < Shape::each; ++i) {
          sum[i][0] += static_cast<double>(x[j][i].x);
          sum[i][1] += static_cast<double>(x[j][i].y);
          sum[i][2] += static_cast<double>(x[j][i].z);
          sum[i][3] += static_cast<double>(x[j][i].w);
        }
      }
      if (rows != nullptr) {
        Range range{INT_MAX, INT_MIN};
        if (active) {
          Out* const to = rows + (first + begin + j) * Width + 4 * threadIdx.x;
#pragma unroll
          for (int i = 0; i < Shape::each; ++i) {
            extend(range, x[j][i]);
            store4(to + 4 * i * Shape::threads, x[j][i]);
          }
        }
        range = range_of_warp(range);
        if (threadIdx.x % 32 == 0) ranges[begin + j][threadIdx.x / 32] = range;
      }
    }
  }
  if (sums != nullptr && active) {
    double* const to = sums + static_cast<std::int64_t>(blockIdx.x) * Width + 4 * threadIdx.x;
#pragma unroll
    for (int i = 0; i < Shape::each; ++i) {
      double2* const four = reinterpret_cast<double2*>(to + 4 * i * Shape::threads);
      four[0] = make_double2(sum[i][0], sum[i][1]);
      four[1] = make_double2(sum[i][2], sum[i][3]);
    }
  }
  if (rows == nullptr) return;
  sync_block();
  for (int i = threadIdx.x; i < count; i += Shape::threads) {
    store_range(ranges[i], extents + first + i, extents + row_count + first + i);
  }
}

// Adds the chunks of a sequence, in their order.
template <class Out, int Width>
__global__ void __launch_bounds__(ColumnShape<Width>::threads)
    means_kernel(const double* __restrict__ sums, const std::int64_t* __restrict__ chunks,
                 const std::int64_t* __restrict__ sequence_chunks, Out* __restrict__ means,
                 float* __restrict__ extents) {
  using Shape = ColumnShape<Width>;
  __shared__ Range ranges[Shape::warps];
  const std::int64_t begin = sequence_chunks[blockIdx.x];
  const std::int64_t end = sequence_chunks[blockIdx.x + 1];
  // Once, not for each number: a division of doubles is a call, over which registers would go to local memory.
  const double share = 1.0 / static_cast<double>(chunks[end] - chunks[begin]);
  Range range{INT_MAX, INT_MIN};
  if (Shape::has_columns()) {
    double sum[Shape::each][4] = {};
#pragma unroll 2
    for (std::int64_t chunk = begin; chunk < end; ++chunk) {
      const double* const from = sums + chunk * Width + 4 * threadIdx.x;
#pragma unroll
      for (int i = 0; i < Shape::each; ++i) {
        const double2* const four = reinterpret_cast<const double2*>(from + 4 * i * Shape::threads);
        const double2 low = four[0];
        const double2 high = four[1];
        sum[i][0] += low.x;
        sum[i][1] += low.y;
        sum[i][2] += high.x;
        sum[i][3] += high.y;
      }
    }
    Out* const to = means + static_cast<std::int64_t>(blockIdx.x) * Width + 4 * threadIdx.x;
#pragma unroll
    for (int i = 0; i < Shape::each; ++i) {
      // By float32 to float16, as ATen does it.
      const float4 mean = make_float4(static_cast<float>(sum[i][0] * share), static_cast<float>(sum[i][1] * share),
                                      static_cast<float>(sum[i][2] * share), static_cast<float>(sum[i][3] * share));
      extend(range, mean);
      store4(to + 4 * i * Shape::threads, mean);
    }
  }
  range = range_of_warp(range);
  if (threadIdx.x % 32 == 0) ranges[threadIdx.x / 32] = range;
  sync_block();
  if (threadIdx.x == 0) store_range(ranges, extents + blockIdx.x, extents + gridDim.x + blockIdx.x);
}

struct Call {
  const float* hidden;
  Kept kept;
  Converted rows;
  double* sums;
  Converted means;
  cudaStream_t stream;
};

template <class Out, int Width>
cudaError_t collect_as(const Call& call) {
  const Kept& kept = call.kept;
  constexpr int threads = ColumnShape<Width>::threads;
  if (kept.chunk_count > 0) {
    const cudaError_t error =
        launch(collect_kernel<Out, Width>, {dim3(static_cast<unsigned>(kept.chunk_count)), threads, 0, call.stream},
               call.hidden, kept.rows, kept.chunks, static_cast<Out*>(call.rows.values), call.rows.extents, call.sums,
               kept.row_count);
    if (error != cudaSuccess) return error;
  }
  if (call.sums == nullptr || kept.sequence_count == 0) return cudaSuccess;
  return launch(means_kernel<Out, Width>, {dim3(static_cast<unsigned>(kept.sequence_count)), threads, 0, call.stream},
                call.sums, kept.chunks, kept.sequence_chunks, static_cast<Out*>(call.means.values), call.means.extents);
}

using Widths = CompiledFor<320, 480, 640, 1280, 2560, 5120>;

}  // namespace

bool suits(std::int64_t width) { return Widths::has(width); }

cudaError_t collect(const float* hidden, const Kept& kept, const Converted& rows, double* sums, const Converted& means,
                    Stored type, std::int64_t width, cudaStream_t stream) {
  const Call call{hidden, kept, rows, sums, means, stream};
  return Widths::call(width, [&](auto known) {
    constexpr int columns = decltype(known)::value;
    return type == Stored::float16 ? collect_as<fp16, columns>(call) : collect_as<float, columns>(call);
  });
}

}  // namespace pleat::cuda::collect
