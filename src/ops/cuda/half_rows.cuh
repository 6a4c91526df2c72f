// Rows of 32 numbers of 16 bits in shared memory.
#pragma once

#include "ops/cuda/device.cuh"

namespace pleat::cuda {

// Where the 16-byte piece `chunk` of a row is: rows of 64 bytes, two to 128 bytes, pieces exchanged so that eight rows'
// pieces of one place touch all banks.
__device__ __forceinline__ std::uint32_t half_row(std::uint32_t row, std::uint32_t chunk) {
  return (row >> 1) * 128 + (((((row & 1) << 2) | chunk) ^ ((row >> 1) & 3)) << 4);
}

}  // namespace pleat::cuda
