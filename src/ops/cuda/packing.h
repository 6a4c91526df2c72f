// How the pair operations' kernels want their weights laid out; see ops/cuda/pair_rows.cuh.
#pragma once

#include <cstdint>
#include <vector>

namespace pleat::cuda {

// Where a channel goes among its 16. Applied to a weight's columns it makes them match the kernels' operands, applied
// to its rows it gives each thread four neighbouring output channels in two blocks of eight.
constexpr std::int64_t spread(std::int64_t channel) {
  return (channel & ~15) | (((channel >> 1) & 1) << 3) | (((channel >> 2) & 3) << 1) | (channel & 1);
}

struct Packing {
  bool spread_rows = false;
  bool spread_columns = false;
  std::int64_t slice = 0;  // cut into slices of so many columns, one after the other; 0: not cut
};

// For each element of the packed weight, which element of the weight [rows, columns] it is.
inline std::vector<std::int64_t> packed_places(std::int64_t rows, std::int64_t columns, const Packing& packing) {
  const std::int64_t slice = packing.slice == 0 ? columns : packing.slice;
  std::vector<std::int64_t> places(static_cast<std::size_t>(rows * columns));
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      const std::int64_t r = packing.spread_rows ? spread(row) : row;
      const std::int64_t c = packing.spread_columns ? spread(column) : column;
      places[static_cast<std::size_t>((c / slice * rows + r) * slice + c % slice)] = row * columns + column;
    }
  }
  return places;
}

}  // namespace pleat::cuda
