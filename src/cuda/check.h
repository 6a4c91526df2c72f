// A kernel that does nothing but run: whether device code of this build runs on a GPU.
#pragma once

#include <string>

namespace pleat::cuda {

// Empty, or why not. `gpu` becomes the thread's current device.
[[nodiscard]] std::string run_check(int gpu);

}  // namespace pleat::cuda
