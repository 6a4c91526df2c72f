#include "tensor/packed_batch.h"

#include <algorithm>

namespace pleat {

std::int64_t PackedBatch::longest() const {
  std::int64_t most = 0;
  for (std::size_t i = 0; i + 1 < cu_seqlens.size(); ++i) most = std::max(most, cu_seqlens[i + 1] - cu_seqlens[i]);
  return most;
}

}  // namespace pleat
