// Hidden states cut, converted, looked through and averaged on a GPU, in one pass over memory.
#pragma once

#include "ops/collect/chunks.h"
#include "ops/cuda/launch.h"

namespace pleat::cuda::collect {

// Whether there is a kernel for rows of this width: 320, 480, 640, 1280, 2560, 5120.
[[nodiscard]] bool suits(std::int64_t width);

enum class Stored : std::uint8_t { float16, float32 };

struct Kept {
  const std::int64_t* rows;             // [R], of `hidden`
  const std::int64_t* chunks;           // [K+1]: Chunks::starts
  const std::int64_t* sequence_chunks;  // [B+1]: Chunks::of_sequence
  std::int64_t row_count;
  std::int64_t chunk_count;
  std::int64_t sequence_count;
};

struct Converted {
  void* values = nullptr;    // [rows, width] of the stored type; null: not wanted, and neither are the extents
  float* extents = nullptr;  // [2, rows], see ConvertedRows
};

// hidden [T, width] float32, aligned to 16 bytes as are the values and sums -> the rows kept, and the means of each
// sequence's. Where `sums` is null no means are wanted; else it becomes [K, width], the sums of each chunk in float64.
cudaError_t collect(const float* hidden, const Kept& kept, const Converted& rows, double* sums, const Converted& means,
                    Stored type, std::int64_t width, cudaStream_t stream);

}  // namespace pleat::cuda::collect
