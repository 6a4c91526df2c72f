#include "ops/cuda/device.cuh"
#include "ops/cuda/launch.cuh"
#include "ops/layer_norm/kernels.h"

namespace pleat::cuda::add_norm {
namespace {

// A row is kept in registers, 10 float4 a lane at most: one warp a row up to 1280, one block of 2 or 4 warps beyond.
// The mean first, then the squares of the differences. Least traffic: 12 bytes a number with an update, 6 without.
template <int Width>
struct RowShape {
  static constexpr int warps = Width <= 1280 ? 1 : (Width + 1279) / 1280;  // a row
  static constexpr int rows = warps == 1 ? 8 : 1;                          // a block
  static constexpr int lanes = warps * 32;
  static constexpr int fours = Width / 4;
  static constexpr int each = (fours + lanes - 1) / lanes;  // float4 a lane
  static_assert(Width % 4 == 0, "");
  // Whether a lane's i-th float4 is in the row.
  __device__ static __forceinline__ bool holds(int i, int at) { return (i + 1) * lanes <= fours || at < fours; }
};

// The sum over the lanes of a row, the same in all of them. `between` is used once only.
template <int Warps>
__device__ __forceinline__ float row_sum(float x, float* between) {
#pragma unroll
  for (int offset = 16; offset > 0; offset /= 2) x += shuffle_xor(x, offset);
  if constexpr (Warps > 1) {
    if (threadIdx.x % 32 == 0) between[threadIdx.x / 32] = x;
    sync_block();
    x = between[0];
#pragma unroll
    for (int w = 1; w < Warps; ++w) x += between[w];
  }
  return x;
}

// Four numbers as they lie in memory, of 16 bits each or of 32.
template <class Type>
struct HalfFour {
  using Stored = uint2;
  __device__ static __forceinline__ Stored none() { return make_uint2(0, 0); }
  __device__ static __forceinline__ float4 widened(Stored x) {
    const float2 low = Type::unpack(x.x);
    const float2 high = Type::unpack(x.y);
    return make_float4(low.x, low.y, high.x, high.y);
  }
  __device__ static __forceinline__ Stored stored(float4 x) {
    return make_uint2(Type::pack(x.x, x.y), Type::pack(x.z, x.w));
  }
};
struct FloatFour {
  using Stored = float4;
  __device__ static __forceinline__ Stored none() { return make_float4(0.0f, 0.0f, 0.0f, 0.0f); }
  __device__ static __forceinline__ float4 widened(Stored x) { return x; }
  __device__ static __forceinline__ Stored stored(float4 x) { return x; }
};

template <class Four, int Width, bool WithUpdate>
__global__ void __launch_bounds__(RowShape<Width>::rows* RowShape<Width>::lanes)
    add_norm_kernel(float* residual, const typename Four::Stored* __restrict__ update, NormPointers norm, float eps,
                    typename Four::Stored* out, std::int64_t tokens) {
  using Shape = RowShape<Width>;
  __shared__ float sums[2][Shape::warps];
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * Shape::rows + threadIdx.x / Shape::lanes;
  if (row >= tokens) return;  // never part of a block whose warps wait for each other: it has one row
  const int lane = threadIdx.x % Shape::lanes;
  float4* const h = reinterpret_cast<float4*>(residual + row * Width);
  float4 x[Shape::each];
#pragma unroll
  for (int i = 0; i < Shape::each; ++i) {
    const int at = lane + i * Shape::lanes;
    x[i] = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    if (Shape::holds(i, at)) x[i] = load_once(h + at);
  }
  if constexpr (WithUpdate) {
    typename Four::Stored u[Shape::each];
#pragma unroll
    for (int i = 0; i < Shape::each; ++i) {
      const int at = lane + i * Shape::lanes;
      u[i] = Four::none();
      if (Shape::holds(i, at)) u[i] = load_once(update + row * Shape::fours + at);
    }
#pragma unroll
    for (int i = 0; i < Shape::each; ++i) {
      const int at = lane + i * Shape::lanes;
      const float4 added = Four::widened(u[i]);
      x[i] = make_float4(x[i].x + added.x, x[i].y + added.y, x[i].z + added.z, x[i].w + added.w);
      if (Shape::holds(i, at)) h[at] = x[i];
    }
  }
  float sum = 0.0f;
#pragma unroll
  for (int i = 0; i < Shape::each; ++i) sum += (x[i].x + x[i].y) + (x[i].z + x[i].w);  // 0 beyond the row
  const float mean = row_sum<Shape::warps>(sum, sums[0]) * (1.0f / Width);
  float squares = 0.0f;
#pragma unroll
  for (int i = 0; i < Shape::each; ++i) {
    if (!Shape::holds(i, lane + i * Shape::lanes)) continue;
    x[i] = make_float4(x[i].x - mean, x[i].y - mean, x[i].z - mean, x[i].w - mean);
    squares += (x[i].x * x[i].x + x[i].y * x[i].y) + (x[i].z * x[i].z + x[i].w * x[i].w);
  }
  const float scale = inverse_root(row_sum<Shape::warps>(squares, sums[1]) * (1.0f / Width) + eps);
#pragma unroll
  for (int i = 0; i < Shape::each; ++i) {
    const int at = lane + i * Shape::lanes;
    if (!Shape::holds(i, at)) continue;
    const float4 w = reinterpret_cast<const float4*>(norm.weight)[at];
    const float4 b = reinterpret_cast<const float4*>(norm.bias)[at];
    out[row * Shape::fours + at] = Four::stored(make_float4(x[i].x * scale * w.x + b.x, x[i].y * scale * w.y + b.y,
                                                            x[i].z * scale * w.z + b.z, x[i].w * scale * w.w + b.w));
  }
}

template <class T>
struct Call {
  float* residual;
  const T* update;
  NormPointers norm;
  float eps;
  T* out;
  std::int64_t tokens;
  cudaStream_t stream;
};

template <class Four, int Width, class T>
cudaError_t apply_as(const Call<T>& call) {
  using Shape = RowShape<Width>;
  using Stored = typename Four::Stored;
  const dim3 grid(static_cast<unsigned>((call.tokens + Shape::rows - 1) / Shape::rows));
  return launch(call.update != nullptr ? add_norm_kernel<Four, Width, true> : add_norm_kernel<Four, Width, false>,
                {grid, Shape::rows * Shape::lanes, 0, call.stream}, call.residual,
                reinterpret_cast<const Stored*>(call.update), call.norm, call.eps, reinterpret_cast<Stored*>(call.out),
                call.tokens);
}

using Widths = CompiledFor<320, 480, 640, 1024, 1280, 2560, 5120>;

}  // namespace

bool suits(std::int64_t width) { return Widths::has(width); }

cudaError_t apply(float* residual, const std::uint16_t* update, const NormPointers& norm, float eps, std::uint16_t* out,
                  Half type, std::int64_t tokens, std::int64_t width, cudaStream_t stream) {
  if (tokens == 0) return cudaSuccess;
  const Call<std::uint16_t> call{residual, update, norm, eps, out, tokens, stream};
  return Widths::call(width, [&](auto known) {
    constexpr int columns = decltype(known)::value;
    return type == Half::bfloat16 ? apply_as<HalfFour<Bfloat16>, columns>(call)
                                  : apply_as<HalfFour<Float16>, columns>(call);
  });
}

cudaError_t apply_float32(float* residual, const float* update, const NormPointers& norm, float eps, float* out,
                          std::int64_t tokens, std::int64_t width, cudaStream_t stream) {
  if (width != float32_width) return cudaErrorInvalidValue;
  if (tokens == 0) return cudaSuccess;
  return apply_as<FloatFour, float32_width>(Call<float>{residual, update, norm, eps, out, tokens, stream});
}

}  // namespace pleat::cuda::add_norm
