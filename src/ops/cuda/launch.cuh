// Starts a kernel.
#pragma once

#include "ops/cuda/launch.h"

#ifdef PLEAT_EMULATED
#include "emulator/launch.h"
#else

namespace pleat::cuda {

struct LaunchShape {
  dim3 grid;
  int threads;
  int shared_bytes;
  cudaStream_t stream;
};

// More than 48 KB of shared memory must be asked for, once for each kernel and GPU; asking every time costs little.
template <class... Parameters, class... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), const LaunchShape& shape, Arguments... arguments) {
  const cudaError_t allowed =
      cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shape.shared_bytes);
  if (allowed != cudaSuccess) return allowed;
  // clang-format off
  kernel<<<shape.grid, shape.threads, shape.shared_bytes, shape.stream>>>(arguments...);
  // clang-format on
  return cudaGetLastError();
}

}  // namespace pleat::cuda

#endif
