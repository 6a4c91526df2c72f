#include "ops/cuda/tensors.h"

#include <ATen/ATen.h>
#include <c10/cuda/CUDAStream.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>
#include <sstream>

namespace pleat::cuda {
namespace {

// The last lines that are not in the log yet, and all there were: a model has the same operation in each block.
struct Notes {
  std::mutex mutex;
  std::set<std::string> seen;
  std::vector<std::string> fresh;
};
Notes& notes() {
  static auto& kept = *new Notes();  // lives as long as the process: the driver may be gone before static objects are
  return kept;
}

void note(const std::string& line) {
  const std::scoped_lock lock(notes().mutex);
  if (notes().seen.insert(line).second) notes().fresh.push_back(line);
}

bool switched_off(const std::string& operation) {
  const char* const given = std::getenv("PLEAT_CUDA_WITHOUT");  // NOLINT(concurrency-mt-unsafe)
  if (given == nullptr) return false;
  std::istringstream names(given);
  for (std::string name; std::getline(names, name, ',');) {
    if (name == operation || name == "all") return true;
  }
  return false;
}

int attribute(cudaDeviceAttr which, int gpu) {
  int value = 0;
  check_launch(cudaDeviceGetAttribute(&value, which, gpu), "asking the GPU for its properties");
  return value;
}

}  // namespace

Gpu gpu_of(const at::Tensor& x) {
  // Asked once: some operations look at each call. Lives as long as the process, as the notes.
  static std::mutex mutex;
  static auto& known = *new std::map<int, Gpu>();
  const int gpu = x.device().index();
  const std::scoped_lock lock(mutex);
  if (const auto found = known.find(gpu); found != known.end()) return found->second;
  const Gpu asked{.processors = attribute(cudaDevAttrMultiProcessorCount, gpu),
                  .shared_bytes = attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin, gpu),
                  .capability = 10 * attribute(cudaDevAttrComputeCapabilityMajor, gpu) +
                                attribute(cudaDevAttrComputeCapabilityMinor, gpu)};
  return known.emplace(gpu, asked).first->second;
}

cudaStream_t stream_of(const at::Tensor& x) { return c10::cuda::getCurrentCUDAStream(x.device().index()).stream(); }

void check_launch(cudaError_t status, const char* kernel) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // so that no later call reports it again
  TORCH_CHECK(false, kernel, ": ", cudaGetErrorString(status));
}

bool uses_kernels(const std::string& operation, bool shape_suits, bool gpu_suits) {
  if (switched_off(operation)) {
    note(operation + ": not by its kernels, as PLEAT_CUDA_WITHOUT says");
  } else if (!shape_suits) {
    note(operation + ": by ATen, since there is no kernel for this model's widths");
  } else if (!gpu_suits) {
    note(operation + ": by ATen, since there is no kernel for this GPU's architecture or shared memory");
  } else {
    return true;
  }
  return false;
}

std::vector<std::string> take_notes() {
  const std::scoped_lock lock(notes().mutex);
  return std::exchange(notes().fresh, {});
}

at::Tensor as_operand(const at::Tensor& weight) { return weight.to(at::kBFloat16).contiguous(); }

at::Tensor packed_operand(const at::Tensor& weight, const Packing& packing) {
  const std::vector<std::int64_t> places = packed_places(weight.size(0), weight.size(1), packing);
  const at::Tensor order = at::tensor(places, at::kLong).to(weight.device());  // [N * K]
  return as_operand(weight.flatten().index_select(0, order));
}

}  // namespace pleat::cuda
