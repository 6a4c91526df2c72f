#include "esm2/read_tensor.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>

#include "ops/first_error.h"
#include "tensor/device.h"
#include "tensor/host.h"

namespace pleat {
namespace {

// Of what is stored: a piece and what it is converted to stay in a core's cache.
constexpr std::int64_t piece_bytes = std::int64_t{512} << 10;
// What a GPU copies at once.
constexpr std::int64_t staged_bytes = std::int64_t{32} << 20;

std::span<std::byte> bytes_of(const at::Tensor& contiguous) {
  return {static_cast<std::byte*>(contiguous.mutable_data_ptr()), contiguous.nbytes()};
}

// Calls body(begin, end) with pieces of [begin, end), on all threads.
template <class Body>
void for_each_piece(std::int64_t begin, std::int64_t end, std::int64_t piece, const Body& body) {
  FirstError error;
  at::parallel_for(begin, end, piece, [&](std::int64_t first, std::int64_t last) {
    const c10::InferenceMode guard;
    for (std::int64_t at = first; at < last; at += piece) {
      error.guard([&] { body(at, std::min(at + piece, last)); });
    }
  });
  error.rethrow();
}

// Elements [begin, begin + n) of a stored tensor, to a contiguous [n] of its own type.
void read_elements(const Checkpoint& checkpoint, const TensorView& view, std::int64_t begin, const at::Tensor& to) {
  const auto offset = static_cast<std::size_t>(begin) * to.element_size();
  checkpoint.read(view.data.subspan(offset, to.nbytes()), bytes_of(to));
}

bool is_finite(const at::Tensor& x) {
  return at::isfinite(x.sum(at::kFloat)).item<bool>() || at::isfinite(x).all().item<bool>();
}

ReadTensor read_on_processor(const Checkpoint& checkpoint, const TensorView& view, at::ScalarType type) {
  const at::ScalarType stored = scalar_type(view.dtype);
  at::Tensor values = at::empty(view.shape, type);
  const at::Tensor flat = values.flatten();
  std::atomic<bool> finite = true;
  const auto piece = piece_bytes / static_cast<std::int64_t>(c10::elementSize(stored));
  for_each_piece(0, values.numel(), piece, [&](std::int64_t begin, std::int64_t end) {
    at::Tensor part = flat.slice(0, begin, end);
    const at::Tensor read = stored == type ? part : at::empty({end - begin}, stored);
    read_elements(checkpoint, view, begin, read);
    if (stored != type) part.copy_(read);
    if (!is_finite(part)) finite = false;
  });
  return {std::move(values), at::scalar_tensor(finite.load(), at::kBool)};
}

ReadTensor read_through_staging(const Checkpoint& checkpoint, const TensorView& view, at::ScalarType type,
                                at::Device device) {
  const at::ScalarType stored_type = scalar_type(view.dtype);
  const at::Tensor stored = at::empty(view.shape, at::TensorOptions(device).dtype(stored_type));
  const at::Tensor flat = stored.flatten();
  const auto element = static_cast<std::int64_t>(c10::elementSize(stored_type));
  const std::int64_t staged = staged_bytes / element;
  for (std::int64_t begin = 0; begin < flat.numel(); begin += staged) {
    const std::int64_t end = std::min(begin + staged, flat.numel());
    // LibTorch keeps pinned memory, and gives it out again once it has been copied.
    const at::Tensor host = at::empty({end - begin}, at::TensorOptions(stored_type).pinned_memory(!device.is_cpu()));
    for_each_piece(begin, end, piece_bytes / element, [&](std::int64_t first, std::int64_t last) {
      read_elements(checkpoint, view, first, host.slice(0, first - begin, last - begin));
    });
    flat.slice(0, begin, end).copy_(host, /*non_blocking=*/true);
  }
  at::Tensor values = stored.to(type);
  at::Tensor finite = at::isfinite(values.sum(at::kFloat));
  return {std::move(values), std::move(finite)};
}

}  // namespace

ReadTensor read_tensor(const Checkpoint& checkpoint, const TensorView& view, at::ScalarType type, at::Device device) {
  if (on_processor(at::empty({0}, device))) return read_on_processor(checkpoint, view, type);
  return read_through_staging(checkpoint, view, type, device);
}

}  // namespace pleat
