#include "tensor/host.h"

#include <ATen/ATen.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <cstring>
#include <utility>

#include "core/error.h"

namespace pleat {

at::ScalarType scalar_type(DType type) {
  switch (type) {
    case DType::float32: return at::kFloat;
    case DType::float16: return at::kHalf;
    case DType::bfloat16: return at::kBFloat16;
    case DType::int64: return at::kLong;
    case DType::uint8: return at::kByte;
  }
  throw Error(ErrorCode::internal, "unknown element type");
}

at::Tensor tensor_from(const TensorView& view, at::ScalarType type) {
  at::Tensor stored = at::empty(view.shape, scalar_type(view.dtype));
  if (!view.data.empty()) std::memcpy(stored.data_ptr(), view.data.data(), view.data.size());
  return stored.to(type);
}

std::vector<std::byte> bytes_of(const at::Tensor& tensor, DType type) {
  const at::Tensor converted = tensor.to(at::kCPU, scalar_type(type)).contiguous();
  std::vector<std::byte> bytes(converted.nbytes());
  if (!bytes.empty()) std::memcpy(bytes.data(), converted.const_data_ptr(), bytes.size());
  return bytes;
}

at::Tensor sent_to(at::Device device, const std::vector<std::int64_t>& numbers) {
  return sent_to(device, at::tensor(numbers, at::kLong));
}

at::Tensor sent_to(at::Device device, const at::Tensor& host) {
  // From pageable memory a copy waits until the device has done all that it was asked for.
  return device.is_cpu() ? host : host.pin_memory().to(device, host.scalar_type(), /*non_blocking=*/true);
}

HostCopies::HostCopies(std::vector<at::Tensor> sources) : sources_(std::move(sources)) {
  if (sources_.empty() || sources_.front().is_cpu()) {
    copies_ = std::move(sources_);
    return;
  }
  const at::Device device = sources_.front().device();
  const c10::impl::VirtualGuardImpl backend(device.type());
  c10::Event computed(device.type());
  computed.record(backend.getStream(device));
  const c10::Stream stream = backend.getStreamFromGlobalPool(device);
  computed.block(stream);
  const c10::StreamGuard guard(stream);
  for (const at::Tensor& source : sources_) {
    // Without blocking, LibTorch copies into pinned memory, of which it keeps a pool.
    copies_.push_back(source.to(at::kCPU, source.scalar_type(), /*non_blocking=*/true));
  }
  arrived_.emplace(device.type());
  arrived_->record(stream);
}

std::vector<at::Tensor> HostCopies::wait() {
  if (arrived_) arrived_->synchronize();
  sources_.clear();
  return std::move(copies_);
}

}  // namespace pleat
