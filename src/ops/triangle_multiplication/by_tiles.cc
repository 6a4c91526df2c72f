#include "ops/triangle_multiplication/by_tiles.h"

#include <ATen/ATen.h>

#include "ops/linear/processor.h"
#include "ops/pair_tasks.h"

namespace pleat {
namespace {

std::int64_t whole_blocks(std::int64_t n) { return (n + block_of_tiles - 1) / block_of_tiles * block_of_tiles; }

Projection packed(const Projection& p, at::Tensor (*pack)(const at::Tensor& weight)) {
  return {pack(p.weight), padded_bias(p.bias, p.weight.size(0))};
}

const float* floats(const at::Tensor& t) { return t.const_data_ptr<float>(); }

}  // namespace

TriangleMultiplicationByTiles::TriangleMultiplicationByTiles(const cpu::TileKernels& kernels,
                                                             const TriangleMultiplicationWeights& weights,
                                                             Triangle triangle)
    : kernels_(kernels),
      weights_{weights.norm_in,
               weights.norm_out,
               packed(weights.a, left_tiles_of),
               packed(weights.a_gate, left_tiles_of),
               packed(weights.b, left_tiles_of),
               packed(weights.b_gate, left_tiles_of),
               packed(weights.out, right_tiles_of),
               packed(weights.gate, right_tiles_of)},
      triangle_(triangle) {}

// Both directions as x[i, j] = sum over k of a[i, k] b[j, k]: for incoming edges a and b are written transposed, which
// costs nothing, since a pair's state lies together wherever the pair is.
void TriangleMultiplicationByTiles::project(at::Tensor& z, std::int64_t first, std::int64_t count, std::uint16_t* a,
                                            std::uint16_t* b) const {
  const TriangleMultiplicationWeights& w = weights_;
  cpu::TileTriangleProjection job;
  job.channels = z.size(2);
  job.norm = norm_of(w.norm_in);
  job.weight[0] = halves(w.a.weight);
  job.weight[1] = halves(w.b.weight);
  job.bias[0] = floats(w.a.bias);
  job.bias[1] = floats(w.b.bias);
  job.gate[0] = halves(w.a_gate.weight);
  job.gate[1] = halves(w.b_gate.weight);
  job.gate_bias[0] = floats(w.a_gate.bias);
  job.gate_bias[1] = floats(w.b_gate.bias);
  const std::int64_t stride = whole_blocks(z.size(0));
  const std::int64_t plane = z.size(0) * stride;
  for_each_run(z, triangle_ == Triangle::incoming,
               [&](std::int64_t i, std::int64_t k, const cpu::Run& run, cpu::PairScratch& scratch) {
                 std::uint16_t* const out[2] = {a + i * stride + k, b + i * stride + k};
                 kernels_.triangle_project(run, job, first, count, out, plane, scratch);
               });
}

void TriangleMultiplicationByTiles::write(at::Tensor& z, const float* x) const {
  cpu::TileTriangleOutput job;
  job.channels = z.size(2);
  job.norm_in = norm_of(weights_.norm_in);
  job.norm_out = norm_of(weights_.norm_out);
  job.weight = halves(weights_.out.weight);
  job.bias = floats(weights_.out.bias);
  job.gate = halves(weights_.gate.weight);
  job.gate_bias = floats(weights_.gate.bias);
  const std::int64_t stride = plane_stride(z.size(0));
  const std::int64_t plane = z.size(0) * stride;
  for_each_run(z, false, [&](std::int64_t i, std::int64_t j, const cpu::Run& run, cpu::PairScratch& scratch) {
    kernels_.triangle_output(run, job, x + i * stride + j, plane, scratch);
  });
}

void TriangleMultiplicationByTiles::operator()(at::Tensor& z, std::int64_t chunk_size, PairWorkspace& workspace) const {
  const std::int64_t length = z.size(0);
  const std::int64_t channels = z.size(2);
  const std::int64_t stride = whole_blocks(length);
  const std::int64_t plane = length * stride;
  const std::int64_t x_stride = plane_stride(length);
  const std::int64_t chunk = std::min(whole_blocks(chunk_size), channels);
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
  write(z, x);
}

}  // namespace pleat
