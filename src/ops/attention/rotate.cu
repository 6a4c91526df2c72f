#include "ops/attention/kernels.h"
#include "ops/cuda/device.cuh"
#include "ops/cuda/launch.cuh"

namespace pleat::cuda::rotary {
namespace {

// One warp a token; a lane keeps its 8 cosines and sines for all heads; pieces of 16 bytes. Where Dh / 2 is no multiple
// of 8 (24), a lane has a head of its own. Least traffic: 8 H Dh bytes a token.
constexpr int warps = 8;

__device__ __forceinline__ void rotate_pair(float& a, float& b, float cos, float sin) {
  const float x = a;
  const float y = b;
  a = add_rounded(multiply_rounded(x, cos), -multiply_rounded(y, sin));
  b = add_rounded(multiply_rounded(y, cos), multiply_rounded(x, sin));
}

template <class Type, int Dh>
__global__ void __launch_bounds__(warps * 32)
    rotate_kernel(std::uint16_t* qkv, const float* __restrict__ cos, const float* __restrict__ sin, std::int64_t tokens,
                  int heads) {
  constexpr int half = Dh / 2;
  const std::int64_t token = static_cast<std::int64_t>(blockIdx.x) * warps + threadIdx.x / 32;
  if (token >= tokens) return;
  const int lane = threadIdx.x % 32;
  std::uint16_t* const row = qkv + token * 3 * heads * Dh;
  const std::int64_t angles = token * half;
  if constexpr (half % 8 == 0) {
    constexpr int chunks = half / 8;                        // 16-byte pieces of half a head
    constexpr int step = 32 / chunks;                       // heads that a warp does at a time
    constexpr int batch = Dh <= 16 ? 2 : Dh <= 32 ? 3 : 5;  // such steps whose loads are all on their way together
    const int chunk = lane % chunks;
    float c[8];
    float s[8];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const float4 c4 = *reinterpret_cast<const float4*>(cos + angles + chunk * 8 + 4 * i);
      const float4 s4 = *reinterpret_cast<const float4*>(sin + angles + chunk * 8 + 4 * i);
      c[4 * i] = c4.x, c[4 * i + 1] = c4.y, c[4 * i + 2] = c4.z, c[4 * i + 3] = c4.w;
      s[4 * i] = s4.x, s[4 * i + 1] = s4.y, s[4 * i + 2] = s4.z, s[4 * i + 3] = s4.w;
    }
    for (int begin = lane / chunks; begin < 2 * heads; begin += batch * step) {
      uint4 first[batch];
      uint4 second[batch];
#pragma unroll
      for (int j = 0; j < batch; ++j) {
        const int head = begin + j * step;
        if (head < 2 * heads) {
          const std::uint16_t* const at = row + head * Dh + chunk * 8;
          first[j] = load_once(reinterpret_cast<const uint4*>(at));
          second[j] = load_once(reinterpret_cast<const uint4*>(at + half));
        }
      }
#pragma unroll
      for (int j = 0; j < batch; ++j) {
        const int head = begin + j * step;
        if (head < 2 * heads) {
          float a[8];
          float b[8];
          unpack8<Type>(first[j], a);
          unpack8<Type>(second[j], b);
#pragma unroll
          for (int i = 0; i < 8; ++i) rotate_pair(a[i], b[i], c[i], s[i]);
          std::uint16_t* const at = row + head * Dh + chunk * 8;
          *reinterpret_cast<uint4*>(at) = pack8<Type>(a);
          *reinterpret_cast<uint4*>(at + half) = pack8<Type>(b);
        }
      }
    }
  } else {
    static_assert(Dh % 8 == 0 && half % 4 == 0, "a head is a whole number of 16-byte pieces");
    float c[half];
    float s[half];
#pragma unroll
    for (int i = 0; i < half / 4; ++i) {
      const float4 c4 = *reinterpret_cast<const float4*>(cos + angles + 4 * i);
      const float4 s4 = *reinterpret_cast<const float4*>(sin + angles + 4 * i);
      c[4 * i] = c4.x, c[4 * i + 1] = c4.y, c[4 * i + 2] = c4.z, c[4 * i + 3] = c4.w;
      s[4 * i] = s4.x, s[4 * i + 1] = s4.y, s[4 * i + 2] = s4.z, s[4 * i + 3] = s4.w;
    }
    for (int head = lane; head < 2 * heads; head += 32) {
      uint4* const at = reinterpret_cast<uint4*>(row + head * Dh);
      float x[Dh];
      uint4 pieces[Dh / 8];
#pragma unroll
      for (int i = 0; i < Dh / 8; ++i) pieces[i] = at[i];  // through L1: a sector holds pieces of two loads
#pragma unroll
      for (int i = 0; i < Dh / 8; ++i) {
        float eight[8];
        unpack8<Type>(pieces[i], eight);
#pragma unroll
        for (int k = 0; k < 8; ++k) x[8 * i + k] = eight[k];
      }
#pragma unroll
      for (int i = 0; i < half; ++i) rotate_pair(x[i], x[i + half], c[i], s[i]);
#pragma unroll
      for (int i = 0; i < Dh / 8; ++i) {
        float eight[8];
#pragma unroll
        for (int k = 0; k < 8; ++k) eight[k] = x[8 * i + k];
        at[i] = pack8<Type>(eight);
      }
    }
  }
}

template <class Type>
cudaError_t rotate_as(std::uint16_t* qkv, const float* cos, const float* sin, std::int64_t tokens, int heads,
                      int head_dim, cudaStream_t stream) {
  const dim3 grid(static_cast<unsigned>((tokens + warps - 1) / warps));
  return CompiledFor<16, 24, 32, 64, 128>::call(head_dim, [&](auto known) {
    return launch(rotate_kernel<Type, decltype(known)::value>, {grid, warps * 32, 0, stream}, qkv, cos, sin, tokens,
                  heads);
  });
}

}  // namespace

cudaError_t rotate(std::uint16_t* qkv, Half type, const float* cos, const float* sin, std::int64_t tokens, int heads,
                   int head_dim, cudaStream_t stream) {
  if (tokens == 0) return cudaSuccess;
  return type == Half::bfloat16 ? rotate_as<Bfloat16>(qkv, cos, sin, tokens, heads, head_dim, stream)
                                : rotate_as<Float16>(qkv, cos, sin, tokens, heads, head_dim, stream);
}

}  // namespace pleat::cuda::rotary
