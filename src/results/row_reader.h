// A dataset of numbers read sequence by sequence, from front to back, in blocks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/error.h"
#include "format/schema.h"
#include "hdf5/hdf5_read.h"

namespace pleat {

// Calls see(sequence, first element of the piece within the sequence, the piece) for consecutive pieces. `begins` says
// at which row of the dataset each sequence begins, and at the end how many rows there are. T is what HDF5 converts to.
// Throws Error(bad_input) where the dataset has another number of rows, or cannot be read.
template <typename T>
void read_by_sequence(const hdf5::OpenDataSet& dataset, hid_t native_type, std::span<const std::int64_t> begins,
                      const std::function<void(std::int64_t, std::int64_t, std::span<const T>)>& see) {
  const std::int64_t width = dataset.row_values();
  if (dataset.shape().empty() || width == 0 || dataset.rows() != begins.back()) {
    throw Error(ErrorCode::bad_input, dataset.path() + " does not have the rows of its sequences");
  }
  const std::int64_t block_rows = std::max<std::int64_t>(1, 2 * schema::chunk_bytes / (4 * width));
  std::vector<T> block;
  std::size_t sequence = 0;
  for (std::int64_t first = 0; first < dataset.rows(); first += block_rows) {
    const std::int64_t last = std::min(first + block_rows, dataset.rows());
    block.resize(static_cast<std::size_t>((last - first) * width));
    dataset.read(first, last - first, native_type, block);
    for (std::int64_t row = first; row < last;) {
      while (begins[sequence + 1] <= row) ++sequence;
      const std::int64_t end = std::min(last, begins[sequence + 1]);
      const std::span<const T> all = block;
      see(static_cast<std::int64_t>(sequence), (row - begins[sequence]) * width,
          all.subspan(static_cast<std::size_t>((row - first) * width), static_cast<std::size_t>((end - row) * width)));
      row = end;
    }
  }
}

}  // namespace pleat
