// How the rows of a batch are cut for the kernels; knows nothing of LibTorch.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace pleat {

// Each sequence is cut from its own first row on, so that the sums over its chunks do not depend on its neighbours.
struct Chunks {
  static constexpr std::int64_t rows = 64;  // of a chunk, at most

  std::vector<std::int64_t> starts{0};       // [K+1]: where the rows of each chunk begin, and the last ones end
  std::vector<std::int64_t> of_sequence{0};  // [B+1]: where the chunks of each sequence begin, and the last ones end

  // row_starts [B+1]: as `starts`, of sequences.
  static Chunks of(const std::vector<std::int64_t>& row_starts) {
    Chunks chunks;
    for (std::size_t s = 0; s + 1 < row_starts.size(); ++s) {
      for (std::int64_t at = row_starts[s]; at < row_starts[s + 1]; at += rows) {
        chunks.starts.push_back(std::min(at + rows, row_starts[s + 1]));
      }
      chunks.of_sequence.push_back(static_cast<std::int64_t>(chunks.starts.size()) - 1);
    }
    return chunks;
  }
};

}  // namespace pleat
