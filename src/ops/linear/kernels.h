// The exact GELU on a GPU, in place.
#pragma once

#include "ops/cuda/launch.h"

namespace pleat::cuda::gelu {

// x [count] <- x Phi(x), Phi the normal distribution function; count a multiple of 8, else cudaErrorInvalidValue.
cudaError_t apply(std::uint16_t* x, Half type, std::int64_t count, cudaStream_t stream);

}  // namespace pleat::cuda::gelu
