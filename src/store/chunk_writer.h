// Whole datasets of fixed-size elements: compressed by all cores, written in order by direct chunk writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "guarded_file.h"
#include "hdf5_handle.h"

namespace pleat {

struct DataSetShape {
  std::string path;  // missing groups above it are made
  std::int64_t rows = 0;
  std::vector<std::int64_t> row_shape = {};  // of what one row holds; empty: one-dimensional
};

// Fills the span with the dataset's next bytes, row-major.
using ByteSource = std::function<void(std::span<std::byte>)>;

// A source over memory, which must outlive it.
[[nodiscard]] ByteSource bytes_from(std::span<const std::byte> data);

// Makes the dataset with the filters shuffle, deflate and fletcher32 and fills it. Memory does not grow with the
// dataset. A dataset without rows has neither chunks nor filters. `guard` is the file behind `file`.
// Throws Error(io), Error(retry), and what `source` throws.
void write_chunked(const hdf5::File& file, const GuardedFile& guard, const DataSetShape& shape, const hdf5::Type& type,
                   const ByteSource& source);

// Properties to make links with: missing groups are made, names are UTF-8.
[[nodiscard]] hdf5::Properties link_properties();
// Properties to make datasets with: no time stamps, so that equal contents give equal bytes.
[[nodiscard]] hdf5::Properties dataset_properties();

}  // namespace pleat
