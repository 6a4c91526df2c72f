#include "ops/cuda/device.cuh"
#include "ops/cuda/launch.cuh"
#include "ops/rigid/kernels.h"

namespace pleat::cuda::rigid {
namespace {

constexpr int threads = 64;

__global__ void __launch_bounds__(threads)
    compose_kernel(Frames from, const float* __restrict__ update, Frames to, int positions) {
  const int i = blockIdx.x * threads + threadIdx.x;
  if (i >= positions) return;
  const float* const u = update + 6 * i;
  const float* const q = from.quaternions + 4 * i;
  // q + q times (0, u), then its length to 1.
  float a = q[0] - q[1] * u[0] - q[2] * u[1] - q[3] * u[2];
  float b = q[1] + q[0] * u[0] + q[2] * u[2] - q[3] * u[1];
  float c = q[2] + q[0] * u[1] - q[1] * u[2] + q[3] * u[0];
  float d = q[3] + q[0] * u[2] + q[1] * u[1] - q[2] * u[0];
  const float length = square_root(a * a + b * b + c * c + d * d);
  a /= length;
  b /= length;
  c /= length;
  d /= length;
  float* const quaternion = to.quaternions + 4 * i;
  quaternion[0] = a;
  quaternion[1] = b;
  quaternion[2] = c;
  quaternion[3] = d;

  const float* const before = from.rotations + 9 * i;
  for (int row = 0; row < 3; ++row) {
    const float* const r = before + 3 * row;
    to.translations[3 * i + row] = r[0] * u[3] + r[1] * u[4] + r[2] * u[5] + from.translations[3 * i + row];
  }

  float* const rotation = to.rotations + 9 * i;
  rotation[0] = a * a + b * b - c * c - d * d;
  rotation[1] = 2 * (b * c - a * d);
  rotation[2] = 2 * (b * d + a * c);
  rotation[3] = 2 * (b * c + a * d);
  rotation[4] = a * a - b * b + c * c - d * d;
  rotation[5] = 2 * (c * d - a * b);
  rotation[6] = 2 * (b * d - a * c);
  rotation[7] = 2 * (c * d + a * b);
  rotation[8] = a * a - b * b - c * c + d * d;
}

}  // namespace

cudaError_t compose(const Frames& from, const float* update, const Frames& to, int positions, cudaStream_t stream) {
  if (positions == 0) return cudaSuccess;
  const dim3 grid(static_cast<unsigned>((positions + threads - 1) / threads));
  return launch(compose_kernel, {grid, threads, 0, stream}, from, update, to, positions);
}

}  // namespace pleat::cuda::rigid
