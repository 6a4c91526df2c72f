#pragma once

#include "emulator/machine.h"
#include "emulator/runtime.h"

namespace pleat::cuda {

struct LaunchShape {
  dim3 grid;
  int threads;
  int shared_bytes;
  cudaStream_t stream;
};

template <class... Parameters, class... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), const LaunchShape& shape, Arguments... arguments) {
  emulator::Machine::get().launch({shape.grid.x, shape.grid.y}, shape.threads,
                                  static_cast<std::size_t>(shape.shared_bytes), [&] { kernel(arguments...); });
  return cudaSuccess;
}

}  // namespace pleat::cuda
