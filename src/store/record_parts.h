// Which arrays a layout holds, in the one order that segments and the result file share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "pleat/store/result_writer.h"

namespace pleat {

// How many rows of a dataset one sequence of length L has: 1, L or L * L.
enum class Extent : std::uint8_t { sequence, residue, pair };

[[nodiscard]] constexpr std::int64_t rows_of(Extent extent, std::int64_t length) {
  switch (extent) {
    case Extent::sequence: return 1;
    case Extent::residue: return length;
    case Extent::pair: return length * length;
  }
  return 0;
}

// One dataset of results.
struct Part {
  std::string path;
  Extent extent = Extent::sequence;
  std::int64_t columns = 0;  // 0: one-dimensional

  [[nodiscard]] std::int64_t row_bytes(DType type) const {
    return (columns == 0 ? 1 : columns) * static_cast<std::int64_t>(size_of(type));
  }
};

[[nodiscard]] std::vector<Part> parts_of(const ResultLayout& layout);

// The bytes of each part, in the same order. Throws Error(internal) when the result has other layers than the layout.
[[nodiscard]] std::vector<std::span<const std::byte>> bytes_of(const SequenceResult& result,
                                                               const ResultLayout& layout);

}  // namespace pleat
