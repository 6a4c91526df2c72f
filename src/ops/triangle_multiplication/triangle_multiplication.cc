#include "ops/triangle_multiplication/triangle_multiplication.h"

#include <ATen/ATen.h>

#include "ops/device_ops.h"
#include "ops/general.h"
#include "ops/linear/processor.h"
#include "ops/triangle_multiplication/by_tiles.h"
#include "ops/triangle_multiplication/jobs.h"
#include "tensor/device.h"

namespace pleat {
namespace {

at::Tensor linear(const at::Tensor& x, const Projection& p) { return at::linear(x, p.weight, p.bias); }

}  // namespace

void triangle_multiplication_reference(at::Tensor& z, const TriangleMultiplicationWeights& w, Triangle triangle) {
  const at::Tensor y = normalize(z, w.norm_in);                                              // [L, L, C]
  const at::Tensor a = (linear(y, w.a_gate).sigmoid() * linear(y, w.a)).permute({2, 0, 1});  // [C, L, L]
  const at::Tensor b = (linear(y, w.b_gate).sigmoid() * linear(y, w.b)).permute({2, 0, 1});  // [C, L, L]
  const at::Tensor x = triangle == Triangle::outgoing ? at::matmul(a, b.transpose(1, 2))     // [C, L, L]
                                                      : at::matmul(a.transpose(1, 2), b);
  z += linear(y, w.gate).sigmoid() * linear(normalize(x.permute({1, 2, 0}), w.norm_out), w.out);
}

TriangleMultiplication::TriangleMultiplication(const TriangleMultiplicationWeights& weights, Triangle triangle,
                                               at::ScalarType operands)
    : triangle_(triangle) {
  if (!on_processor(weights.out.weight)) {
    const auto make = device_ops(weights.out.weight).triangle_multiplication;
    if (operands == at::kBFloat16 && make != nullptr) own_ = make(weights, triangle);
    weights_ = weights;
    return;
  }
  const cpu::TileKernels* const tiles = operands == at::kBFloat16 ? trusted_tile_kernels() : nullptr;
  if (tiles != nullptr) {
    by_tiles_ = std::make_shared<TriangleMultiplicationByTiles>(*tiles, weights, triangle);
    return;
  }
  const auto in_rows = [](const at::Tensor& weight) { return weight.contiguous(); };
  weights_ = packed(weights, in_rows, panels_of);
}

// Both directions as x[i, j] = sum over k of a[k, i] b[k, j]: for outgoing edges a and b are written transposed, which
// costs nothing, since a pair's state lies together wherever the pair is.
void TriangleMultiplication::project(at::Tensor& z, std::int64_t first, std::int64_t count, float* a, float* b) const {
  const auto job = projection_job<float>(weights_, z.size(2));
  const std::int64_t stride = plane_stride(z.size(0));
  const std::int64_t plane = z.size(0) * stride;
  const cpu::Kernels& kernels = cpu::kernels();
  for_each_run(z, triangle_ == Triangle::outgoing,
               [&](std::int64_t k, std::int64_t i, const cpu::Run& run, cpu::PairScratch& scratch) {
                 float* const out[2] = {a + k * stride + i, b + k * stride + i};
                 kernels.triangle_project(run, job, first, count, out, plane, scratch);
               });
}

void TriangleMultiplication::operator()(at::Tensor& z, std::int64_t chunk_size, PairWorkspace& workspace) const {
  if (!on_processor(z)) return own_ ? own_(z) : general::triangle_multiplication(z, weights_, triangle_, chunk_size);
  if (by_tiles_) return (*by_tiles_)(z, chunk_size, workspace);
  const std::int64_t length = z.size(0);
  const std::int64_t channels = z.size(2);
  const std::int64_t stride = plane_stride(length);
  const std::int64_t plane = length * stride;
  const std::int64_t chunk = std::min(chunk_size, channels);
  float* const a = workspace.need(0, chunk * plane);
  float* const b = workspace.need(1, chunk * plane);
  float* const x = chunk == channels ? a : workspace.need(2, channels * plane);
  const cpu::Kernels& kernels = cpu::kernels();
  for (std::int64_t first = 0; first < channels; first += chunk) {
    const std::int64_t count = std::min(chunk, channels - first);
    project(z, first, count, a, b);
    for_each_task(count, [&](std::int64_t c, cpu::PairScratch& scratch) {
      kernels.triangle_product(a + c * plane, b + c * plane, x + (first + c) * plane, length, stride, scratch);
    });
  }
  write_output(z, weights_, x, kernels.triangle_output);
}

}  // namespace pleat
