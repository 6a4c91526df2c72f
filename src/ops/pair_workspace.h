// Memory that the operations on a pair representation share and keep, so that a trunk of many blocks allocates nothing
// after its first.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>

namespace pleat {

class PairWorkspace {
 public:
  // Places for buffers that are in use at the same time.
  static constexpr int slots = 3;

  // At least `floats` float32 numbers with any contents; the slot's earlier buffer is void.
  [[nodiscard]] float* need(int slot, std::int64_t floats);

 private:
  std::array<at::Tensor, slots> buffers_;
};

}  // namespace pleat
