// The pickle inside a file of torch.save: which tensor lies where in which storage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/dtype.h"
#include "weights/refusal.h"

namespace pleat {

// A view into a storage, as PyTorch describes it; numbers count elements.
struct PickledTensor {
  std::string_view name;
  std::string_view storage;  // the storage's key: its file in the archive is data/KEY
  DType dtype = DType::float32;
  std::int64_t storage_numel = 0;
  std::int64_t offset = 0;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> stride;
};

// Reads a dictionary of tensors by a machine that knows only what one needs, in pickle's protocols 2 to 5. A pickle is
// a program, and in general it may call anything; here it may name exactly torch._utils._rebuild_tensor_v2,
// collections.OrderedDict and torch's storage types, and calling them makes a record of what was asked for. Attributes
// of the dictionary (_metadata) are passed over. Everything else is refused by name: other functions and classes, other
// instructions, other kinds of storage, values that are no tensors, a name given twice.
// Checks that numbers are whole and not negative; whether a view fits its storage is the caller's to check.
// The names in the result are views into `pickle`. Throws Error(bad_input).
[[nodiscard]] std::vector<PickledTensor> read_tensor_pickle(std::span<const std::byte> pickle, const Refusal& refuse);

}  // namespace pleat
