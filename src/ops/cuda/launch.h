// What the host's side of kernels shares; no header of LibTorch.
#pragma once

#ifdef PLEAT_EMULATED
#include "emulator/runtime.h"
#else
#include <cuda_runtime_api.h>
#endif

#include <algorithm>
#include <cstdint>
#include <type_traits>

namespace pleat::cuda {

using bf16 = std::uint16_t;  // storage only, as fp16
using fp16 = std::uint16_t;

enum class Half : std::uint8_t { bfloat16, float16 };

// What a kernel's shape depends on.
struct Gpu {
  int processors = 0;    // streaming multiprocessors
  int shared_bytes = 0;  // that a block may have
  int capability = 0;    // 10 major + minor
};

// Blocks of kernels that go on from one piece of work to the next: one a processor, or fewer where `per_block` pieces
// each are enough.
inline int blocks_for(const Gpu& gpu, std::int64_t work, int per_block) {
  return static_cast<int>(std::min<std::int64_t>(gpu.processors, (work + per_block - 1) / per_block));
}

// The numbers that a kernel is compiled for.
template <int... Numbers>
struct CompiledFor {
  static bool has(std::int64_t number) { return ((number == Numbers) || ...); }
  // run(std::integral_constant<int, number>()), or cudaErrorInvalidValue where there is none.
  template <class Run>
  static cudaError_t call(std::int64_t number, const Run& run) {
    cudaError_t result = cudaErrorInvalidValue;
    static_cast<void>(((number == Numbers && (result = run(std::integral_constant<int, Numbers>()), true)) || ...));
    return result;
  }
};

// The parameters of a layer normalisation, in the GPU's memory.
struct NormPointers {
  const float* weight;  // [C]
  const float* bias;
};

}  // namespace pleat::cuda
