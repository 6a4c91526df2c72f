// Datasets of fixed-size elements: compressed by all cores, written in order by direct chunk writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "hdf5/guarded_file.h"
#include "hdf5/hdf5_handle.h"

namespace pleat {

struct DataSetShape {
  std::string path;  // missing groups above it are made
  std::int64_t rows = 0;
  std::vector<std::int64_t> row_shape = {};  // of what one row holds; empty: one-dimensional
};

// Fills the span with the dataset's next bytes, row-major.
using ByteFeed = std::function<void(std::span<std::byte>)>;

// A source over memory, which must outlive it.
[[nodiscard]] ByteFeed bytes_from(std::span<const std::byte> data);

// A dataset with the filters shuffle, deflate and fletcher32. One without rows has neither chunks nor filters.
class ChunkedDataSet {
 public:
  // Makes it. Throws Error(io).
  ChunkedDataSet(const hdf5::File& file, DataSetShape shape, const hdf5::Type& type);

  [[nodiscard]] const DataSetShape& shape() const { return shape_; }
  [[nodiscard]] std::size_t element_size() const { return element_size_; }
  [[nodiscard]] std::int64_t row_bytes() const { return row_bytes_; }
  [[nodiscard]] std::int64_t chunk_rows() const { return chunk_rows_; }
  [[nodiscard]] std::int64_t chunk_bytes() const { return chunk_rows_ * row_bytes_; }
  // A chunk that has been through the filters. Throws Error(io).
  void write(std::int64_t first_row, std::span<const std::byte> encoded) const;

 private:
  DataSetShape shape_;
  std::size_t element_size_;
  std::int64_t row_bytes_;
  std::int64_t chunk_rows_;
  hdf5::DataSet dataset_;
};

// A chunk before its filters. The last one of a dataset is padded to its full size, as the format wants.
struct RawChunk {
  const ChunkedDataSet* dataset = nullptr;
  std::int64_t first_row = 0;
  std::vector<std::byte> bytes;  // chunk_bytes() of the dataset
};

// Takes chunks of a file's datasets through their filters, many at a time, and writes them in the order in which they
// come.
class ChunkPipeline {
 public:
  // `guard` is the file behind the datasets', and must outlive the pipeline.
  explicit ChunkPipeline(const GuardedFile& guard);
  ~ChunkPipeline();
  ChunkPipeline(const ChunkPipeline&) = delete;
  ChunkPipeline& operator=(const ChunkPipeline&) = delete;
  ChunkPipeline(ChunkPipeline&&) = delete;
  ChunkPipeline& operator=(ChunkPipeline&&) = delete;

  // Until `next` gives no more. It is handed a chunk with the bytes of an earlier one, so that it can use their memory.
  // Throws Error(io), Error(retry), and what `next` throws.
  void run(const std::function<bool(RawChunk& chunk)>& next);

 private:
  struct Job;

  const GuardedFile& guard_;
  std::vector<std::unique_ptr<Job>> jobs_;  // a ring
  std::size_t begun_ = 0;
};

// Makes a dataset and fills it. Memory does not grow with the dataset. `guard` is the file behind `file`. Throws
// Error(io), Error(retry), and what `source` throws.
void write_chunked(const hdf5::File& file, const GuardedFile& guard, const DataSetShape& shape, const hdf5::Type& type,
                   const ByteFeed& source);

// Properties to make links with: missing groups are made, names are UTF-8.
[[nodiscard]] hdf5::Properties link_properties();
// Properties to make datasets with: no time stamps, so that equal contents give equal bytes.
[[nodiscard]] hdf5::Properties dataset_properties();

}  // namespace pleat
