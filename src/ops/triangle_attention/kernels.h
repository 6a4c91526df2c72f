// Triangular attention on a GPU: 128 channels, 4 heads of 32, operands bf16, sums float32. Three kernels, project,
// attend and finish; z [L, L, 128] float32 is changed in place.
//
// A line is a row of z (starting node) or a column (ending node), T[line][position] is z[line][position] or
// z[position][line]. What is between the kernels is in that order, so attend does not know which node it computes. The
// bias of the score of (query, key) is norm(T[query][key]) Wb: of the pair whose line is the query and whose position
// is the key.
//
// Between the kernels (bf16 but for the bias):
//   q     [line][head][position][32]       times log2(e) / sqrt(32)
//   kv    [line][head][position][32 | 32]  key, value
//   bias  [head][query][stride]            fp16, times log2(e); columns from L on hold -60000 (the mask)
//   o     [line][position][128]            mixed values, not gated, channels in natural order
// Within a head the 32 dimensions of q, k and v are stored so that place 8 t + 2 j + e holds dimension 8 j + 2 t + e
// (t, j = 0..3, e = 0, 1): project then stores 16 bytes per lane, and attend's output comes out in natural order.
#pragma once

#include "ops/cuda/launch.h"

namespace pleat::cuda::triangle_attention {

constexpr int channels = 128;
constexpr int heads = 4;
constexpr int head_dim = 32;
constexpr int longest = 16384;  // offsets within a line have 32 bits

struct Weights {  // matrices row-major [N, K]
  const bf16* query;
  const bf16* key;
  const bf16* value;
  const bf16* bias;
  const bf16* gate;
  const bf16* out;
  NormPointers norm;
  const float* gate_bias;
  const float* out_bias;
};

struct Buffers {
  float* z;
  bf16* q;
  bf16* kv;
  fp16* bias;
  bf16* o;
};

// The bias's stride: attend wants whole tiles of 64 keys, and at least two.
inline int stride_of(int length) { return std::max(128, (length + 63) / 64 * 64); }

// Whether the kernels can run: compute capability 8.0 and 99 KB of shared memory for a block.
[[nodiscard]] bool suits(const Gpu& gpu);

// One after the other, on `stream`; length in [1, longest].
cudaError_t project(const Buffers& buffers, const Weights& weights, int length, bool ending, const Gpu& gpu,
                    cudaStream_t stream);
cudaError_t attend(const Buffers& buffers, int length, const Gpu& gpu, cudaStream_t stream);
cudaError_t finish(const Buffers& buffers, const Weights& weights, int length, bool ending, const Gpu& gpu,
                   cudaStream_t stream);

}  // namespace pleat::cuda::triangle_attention
