#include "pleat/tensor/host.h"

#include <ATen/ATen.h>

#include <cstring>

#include "pleat/core/error.h"

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

}  // namespace pleat
