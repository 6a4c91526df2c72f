// The update of residues' frames on a GPU, in one launch in place of some forty.
#pragma once

#include "ops/cuda/launch.h"

namespace pleat::cuda::rigid {

// All float32: rotations [P, 3, 3], quaternions [P, 4], translations [P, 3].
struct Frames {
  float* rotations;
  float* quaternions;
  float* translations;
};

// As Rigid::composed_with: update [P, 6], and `to` is another place than `from`.
cudaError_t compose(const Frames& from, const float* update, const Frames& to, int positions, cudaStream_t stream);

}  // namespace pleat::cuda::rigid
