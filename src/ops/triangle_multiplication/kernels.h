// Triangular multiplication on a GPU: 128 channels, operands bf16, sums float32. project makes a and b, finish takes
// their product, which is a batched one of any library over all channels; z [L, L, 128] float32 is changed in place.
//
// a, b and x are [128][stride][stride] bf16: whatever lies outside L x L is zero, so that the products may run over the
// stride and are aligned for any L.
#pragma once

#include "ops/cuda/launch.h"

namespace pleat::cuda::triangle_multiplication {

struct Weights {
  NormPointers norm_in;
  NormPointers norm_out;
  const bf16* projections;         // a, its gate, b, its gate: each [128, 128], packed with spread columns
  const float* projection_biases;  // [4, 128]
  const bf16* outputs;             // out, its gate: each [128, 128], packed with spread rows and columns
  const float* output_biases;      // [2, 128]
};

inline int stride_of(int length) { return (length + 7) / 8 * 8; }

// Whether the kernels can run: compute capability 8.0 and 99 KB of shared memory for a block.
[[nodiscard]] bool suits(const Gpu& gpu);

// z -> a and b, one after the other, every element.
cudaError_t project(const float* z, const Weights& weights, bf16* ab, int length, const Gpu& gpu, cudaStream_t stream);
// z += sigmoid(gate(norm_in(z))) * out(norm_out(x))
cudaError_t finish(const bf16* x, float* z, const Weights& weights, int length, const Gpu& gpu, cudaStream_t stream);

}  // namespace pleat::cuda::triangle_multiplication
