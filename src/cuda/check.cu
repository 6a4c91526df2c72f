#include <cuda_runtime.h>

#include "cuda/check.h"

namespace pleat::cuda {
namespace {

constexpr int expected = 4711;

__global__ void check(int* out, int value) { *out = value + static_cast<int>(threadIdx.x); }

}  // namespace

std::string run_check(int gpu) {
  int* d_out = nullptr;
  int out = 0;
  cudaError_t error = cudaSetDevice(gpu);
  if (error == cudaSuccess) error = cudaMalloc(&d_out, sizeof(int));
  if (error == cudaSuccess) {
    check<<<1, 1>>>(d_out, expected);
    error = cudaGetLastError();
  }
  if (error == cudaSuccess) error = cudaMemcpy(&out, d_out, sizeof(int), cudaMemcpyDeviceToHost);
  if (d_out != nullptr) cudaFree(d_out);
  cudaGetLastError();  // so that no later call reports it again
  if (error != cudaSuccess) return cudaGetErrorString(error);
  return out == expected ? "" : "a kernel ran and gave a wrong number";
}

}  // namespace pleat::cuda
