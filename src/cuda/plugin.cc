#include <ATen/Context.h>
#include <cuda_runtime_api.h>

#include "cuda/check.h"
#include "cuda/ops.h"
#include "ops/cuda/tensors.h"
#include "ops/cuda_plugin.h"

namespace pleat::cuda {
namespace {

int count(std::string& error) {
  int gpus = 0;
  const cudaError_t status = cudaGetDeviceCount(&gpus);
  if (status == cudaSuccess) return gpus;
  cudaGetLastError();  // so that no later call reports it again
  if (status != cudaErrorNoDevice) error = cudaGetErrorString(status);
  return 0;
}

GpuState examine(int gpu) {
  GpuState state;
  cudaDeviceProp properties{};
  if (const cudaError_t status = cudaGetDeviceProperties(&properties, gpu); status != cudaSuccess) {
    cudaGetLastError();
    state.error = cudaGetErrorString(status);
    return state;
  }
  state.name = static_cast<const char*>(properties.name);
  state.major = properties.major;
  state.minor = properties.minor;
  state.error = run_check(gpu);
  std::size_t free = 0;
  std::size_t total = 0;
  if (state.error.empty() && cudaMemGetInfo(&free, &total) == cudaSuccess) {
    state.free_bytes = static_cast<double>(free);
    state.total_bytes = static_cast<double>(total);
  }
  return state;
}

bool is_lost(int gpu, std::string& error) {
  cudaError_t status = cudaSetDevice(gpu);
  // The first call may report, and so forget, what an earlier one has left; what is sticky comes again.
  if (status == cudaSuccess) cudaDeviceSynchronize();
  cudaGetLastError();
  if (status == cudaSuccess) status = cudaDeviceSynchronize();
  if (status == cudaSuccess) return false;
  error = cudaGetErrorString(status);
  return true;
}

// float32 is float32, sums of narrower types are kept in float32, and cuDNN, of which only a part is there, is not
// used.
void set_arithmetic() {
  at::Context& context = at::globalContext();
  context.setAllowTF32CuBLAS(false);
  context.setAllowTF32CuDNN(false);
  context.setAllowFP16ReductionCuBLAS(false);
  context.setAllowBF16ReductionCuBLAS(false);
  context.setUserEnabledCuDNN(false);
  context.setSDPUseCuDNN(false);
}

}  // namespace
}  // namespace pleat::cuda

const char* pleat_cuda_abi() { return PLEAT_CUDA_ABI; }

const pleat::CudaPlugin* pleat_cuda_plugin() {
  static const pleat::CudaPlugin plugin = [] {
    pleat::cuda::set_arithmetic();
    return pleat::CudaPlugin{.ops = {.linear = pleat::cuda::linear,
                                     .attention = pleat::cuda::attention,
                                     .add_layer_norm = pleat::cuda::add_layer_norm,
                                     .compose_rigid = pleat::cuda::compose_rigid,
                                     .invariant_point_attention = pleat::cuda::invariant_point_attention,
                                     .collect_rows = pleat::cuda::collect_rows,
                                     .triangle_attention = pleat::cuda::make_triangle_attention,
                                     .triangle_multiplication = pleat::cuda::make_triangle_multiplication,
                                     .pair_transition = pleat::cuda::make_pair_transition,
                                     .sequence_to_pair = pleat::cuda::make_sequence_to_pair,
                                     .pair_bias = pleat::cuda::make_pair_bias,
                                     .biased_attention = pleat::cuda::biased_attention},
                             .architectures = PLEAT_CUDA_ARCHITECTURES,
                             .runtime_version = CUDART_VERSION,
                             .count = pleat::cuda::count,
                             .examine = pleat::cuda::examine,
                             .is_lost = pleat::cuda::is_lost,
                             .take_notes = pleat::cuda::take_notes};
  }();
  return &plugin;
}
