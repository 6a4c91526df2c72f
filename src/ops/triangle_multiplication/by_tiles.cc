#include "ops/triangle_multiplication/by_tiles.h"

#include <ATen/ATen.h>

#include "ops/linear/processor.h"
#include "ops/triangle_multiplication/jobs.h"

namespace pleat {
TriangleMultiplicationByTiles::TriangleMultiplicationByTiles(const cpu::TileKernels& kernels,
                                                             const TriangleMultiplicationWeights& weights,
                                                             Triangle triangle)
    : kernels_(kernels), weights_(packed(weights, left_tiles_of, right_tiles_of)), triangle_(triangle) {}

// Both directions as x[i, j] = sum over k of a[i, k] b[j, k]: for incoming edges a and b are written transposed, which
// costs nothing, since a pair's state lies together wherever the pair is.
void TriangleMultiplicationByTiles::project(at::Tensor& z, std::int64_t first, std::int64_t count, std::uint16_t* a,
                                            std::uint16_t* b) const {
  const auto job = projection_job<std::uint16_t>(weights_, z.size(2));
  const std::int64_t stride = cpu::whole_blocks(z.size(0));
  const std::int64_t plane = z.size(0) * stride;
  for_each_run(z, triangle_ == Triangle::incoming,
               [&](std::int64_t i, std::int64_t k, const cpu::Run& run, cpu::PairScratch& scratch) {
                 std::uint16_t* const out[2] = {a + i * stride + k, b + i * stride + k};
                 kernels_.triangle_project(run, job, first, count, out, plane, scratch);
               });
}

void TriangleMultiplicationByTiles::operator()(at::Tensor& z, std::int64_t chunk_size, PairWorkspace& workspace) const {
  const std::int64_t length = z.size(0);
  const std::int64_t channels = z.size(2);
  const std::int64_t stride = cpu::whole_blocks(length);
  const std::int64_t plane = length * stride;
  const std::int64_t x_stride = plane_stride(length);
  const std::int64_t chunk = std::min(cpu::whole_blocks(chunk_size), channels);
  auto* const a = reinterpret_cast<std::uint16_t*>(workspace.need(0, (chunk * plane + 1) / 2));
  auto* const b = reinterpret_cast<std::uint16_t*>(workspace.need(1, (chunk * plane + 1) / 2));
  float* const x = workspace.need(2, channels * length * x_stride);
  for (std::int64_t first = 0; first < channels; first += chunk) {
    const std::int64_t count = std::min(chunk, channels - first);
    project(z, first, count, a, b);
    for_each_task(count, [&](std::int64_t c, cpu::PairScratch& scratch) {
      kernels_.triangle_product(a + c * plane, b + c * plane, stride, x + (first + c) * length * x_stride, x_stride,
                                length, scratch);
    });
  }
  write_output(z, weights_, x, kernels_.triangle_output);
}

}  // namespace pleat
