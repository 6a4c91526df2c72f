// What project and finish share: a row of z in shared memory, its layer norm as an operand, and the weights' places.
#pragma once

#include "ops/cuda/device.cuh"
#include "ops/triangle_attention/kernels.h"

namespace pleat::cuda::triangle_attention {

// A row of fp32 z in shared memory is 512 bytes; odd rows have the halves of each 128 bytes exchanged, so that the
// eight lanes of a 16-byte access, two rows of 64 bytes, touch all banks.
__device__ __forceinline__ std::uint32_t z_chunk(std::uint32_t row, std::uint32_t chunk) {
  return (chunk ^ ((row & 1) << 2)) << 4;
}

// Two rows (a lane's g and g + 8) of a 16-row block of z in shared memory -> x (channels 16 s + 4 t .. + 3 in x[.][s])
// and norm(x) as the A fragments of a 16 x 128 product whose k places are permuted: place 16 s + 8 b + 2 t + e is
// channel 16 s + 4 t + 2 b + e. Statistics over the four lanes of a row, variance from differences.
__device__ __forceinline__ void normalize(const unsigned char* block, const float* gamma, const float* beta, int g,
                                          int t, float4 (&x)[2][8], std::uint32_t (&a)[8][4]) {
  float mean[2], rstd[2];
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    const std::uint32_t row = g + 8 * r;
    const unsigned char* line = block + row * 512;
    float sum = 0.0f;
#pragma unroll
    for (int s = 0; s < 8; ++s) {
      x[r][s] = *reinterpret_cast<const float4*>(line + z_chunk(row, 4 * s + t));
      sum += (x[r][s].x + x[r][s].y) + (x[r][s].z + x[r][s].w);
    }
    sum += shuffle_xor(sum, 1);
    sum += shuffle_xor(sum, 2);
    mean[r] = sum * (1.0f / channels);
    float squares = 0.0f;
#pragma unroll
    for (int s = 0; s < 8; ++s) {
      const float d0 = x[r][s].x - mean[r], d1 = x[r][s].y - mean[r];
      const float d2 = x[r][s].z - mean[r], d3 = x[r][s].w - mean[r];
      squares += (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3);
    }
    squares += shuffle_xor(squares, 1);
    squares += shuffle_xor(squares, 2);
    rstd[r] = inverse_root(squares * (1.0f / channels) + 1e-5f);
  }
#pragma unroll
  for (int s = 0; s < 8; ++s) {
    const float4 w = *reinterpret_cast<const float4*>(gamma + 16 * s + 4 * t);
    const float4 b = *reinterpret_cast<const float4*>(beta + 16 * s + 4 * t);
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const float y0 = (x[r][s].x - mean[r]) * rstd[r] * w.x + b.x;
      const float y1 = (x[r][s].y - mean[r]) * rstd[r] * w.y + b.y;
      const float y2 = (x[r][s].z - mean[r]) * rstd[r] * w.z + b.z;
      const float y3 = (x[r][s].w - mean[r]) * rstd[r] * w.w + b.w;
      a[s][r] = pack_bf16(y0, y1);
      a[s][2 + r] = pack_bf16(y2, y3);
    }
  }
}

// A weight's 16 channels (32 bytes from `from`) -> 16-byte places 2 s and 2 s + 1 of a 256-byte row of shared memory,
// in the order that normalize() gives. Places are exchanged by row & 7 so that ldmatrix meets no bank twice.
__device__ __forceinline__ void weight_chunk(unsigned char* row_at, int row, int s, const bf16* from) {
  const uint4 a = reinterpret_cast<const uint4*>(from)[0];
  const uint4 b = reinterpret_cast<const uint4*>(from)[1];
  *reinterpret_cast<uint4*>(row_at + (((2 * s) ^ (row & 7)) << 4)) = make_uint4(a.x, a.z, b.x, b.z);
  *reinterpret_cast<uint4*>(row_at + (((2 * s + 1) ^ (row & 7)) << 4)) = make_uint4(a.y, a.w, b.y, b.w);
}

}  // namespace pleat::cuda::triangle_attention
