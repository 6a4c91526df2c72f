#include "hdf5/chunk_writer.h"

#include <tbb/parallel_pipeline.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "format/schema.h"
#include "hdf5/chunk_codec.h"

namespace pleat {
namespace {

hdf5::DataSet make_dataset(const hdf5::File& file, const DataSetShape& shape, const hdf5::Type& type,
                           std::int64_t chunk_rows) {
  const std::string action = "create " + shape.path;
  std::vector<hsize_t> size{static_cast<hsize_t>(shape.rows)};
  size.insert(size.end(), shape.row_shape.begin(), shape.row_shape.end());
  const auto rank = static_cast<int>(size.size());
  const hdf5::Space space(hdf5::require(H5Screate_simple(rank, size.data(), nullptr), action));
  const hdf5::Properties creation = dataset_properties();
  if (shape.rows > 0) {
    std::vector<hsize_t> chunk = size;
    chunk[0] = static_cast<hsize_t>(chunk_rows);
    hdf5::require(H5Pset_chunk(creation.get(), rank, chunk.data()), action);
    hdf5::require(H5Pset_shuffle(creation.get()), action);
    hdf5::require(H5Pset_deflate(creation.get(), schema::deflate_level), action);
    hdf5::require(H5Pset_fletcher32(creation.get()), action);
  }
  const hdf5::Properties link = link_properties();
  return hdf5::DataSet(hdf5::require(
      H5Dcreate2(file.get(), shape.path.c_str(), type.get(), space.get(), link.get(), creation.get(), H5P_DEFAULT),
      action));
}

std::int64_t row_bytes_of(const DataSetShape& shape, std::size_t element_size) {
  return std::accumulate(shape.row_shape.begin(), shape.row_shape.end(), static_cast<std::int64_t>(element_size),
                         std::multiplies<>());
}

}  // namespace

ByteFeed bytes_from(std::span<const std::byte> data) {
  return [data](std::span<std::byte> out) mutable {
    std::copy_n(data.begin(), out.size(), out.begin());
    data = data.subspan(out.size());
  };
}

hdf5::Properties link_properties() {
  hdf5::Properties properties(hdf5::require(H5Pcreate(H5P_LINK_CREATE), "prepare a link"));
  hdf5::require(H5Pset_create_intermediate_group(properties.get(), 1), "prepare a link");
  hdf5::require(H5Pset_char_encoding(properties.get(), H5T_CSET_UTF8), "prepare a link");
  return properties;
}

hdf5::Properties dataset_properties() {
  hdf5::Properties properties(hdf5::require(H5Pcreate(H5P_DATASET_CREATE), "prepare a dataset"));
  hdf5::require(H5Pset_obj_track_times(properties.get(), 0), "prepare a dataset");
  return properties;
}

ChunkedDataSet::ChunkedDataSet(const hdf5::File& file, DataSetShape shape, const hdf5::Type& type)
    : shape_(std::move(shape)),
      element_size_(H5Tget_size(type.get())),
      row_bytes_(row_bytes_of(shape_, element_size_)),
      chunk_rows_(std::max<std::int64_t>(1, std::min(shape_.rows, schema::chunk_bytes / row_bytes_))),
      dataset_(make_dataset(file, shape_, type, chunk_rows_)) {}

void ChunkedDataSet::write(std::int64_t first_row, std::span<const std::byte> encoded) const {
  std::vector<hsize_t> offset(1 + shape_.row_shape.size(), 0);
  offset[0] = static_cast<hsize_t>(first_row);
  hdf5::require(H5Dwrite_chunk(dataset_.get(), H5P_DEFAULT, 0, offset.data(), encoded.size(), encoded.data()),
                "write " + shape_.path);
}

// Its buffers are used again for a later chunk.
struct ChunkPipeline::Job {
  RawChunk chunk;
  ChunkCodec codec;
  std::span<const std::byte> encoded;
};

// Enough chunks under way to keep every core busy. A ring of jobs suffices: the last stage goes in order, so a job's
// last chunk is written before its next one begins.
ChunkPipeline::ChunkPipeline(const GuardedFile& guard)
    : guard_(guard), jobs_(2 * static_cast<std::size_t>(tbb::this_task_arena::max_concurrency())) {}

ChunkPipeline::~ChunkPipeline() = default;

void ChunkPipeline::run(const std::function<bool(RawChunk& chunk)>& next) {
  const auto gather = [&](tbb::flow_control& control) -> Job* {
    std::unique_ptr<Job>& job = jobs_[begun_ % jobs_.size()];
    if (!job) job = std::make_unique<Job>();
    if (!next(job->chunk)) {
      control.stop();
      return nullptr;
    }
    ++begun_;
    return job.get();
  };
  const auto compress = [](Job* job) {
    job->encoded = job->codec.encode(job->chunk.bytes, job->chunk.dataset->element_size());
    return job;
  };
  // Whichever thread does it; the source of the data may be calling HDF5 too.
  const auto write = [&](Job* job) {
    const std::scoped_lock lock(hdf5::one_at_a_time());
    hdf5::silence();
    job->chunk.dataset->write(job->chunk.first_row, job->encoded);
    guard_.throw_if_failed();
  };
  tbb::parallel_pipeline(jobs_.size(), tbb::make_filter<void, Job*>(tbb::filter_mode::serial_in_order, gather) &
                                           tbb::make_filter<Job*, Job*>(tbb::filter_mode::parallel, compress) &
                                           tbb::make_filter<Job*, void>(tbb::filter_mode::serial_in_order, write));
}

void write_chunked(const hdf5::File& file, const GuardedFile& guard, const DataSetShape& shape, const hdf5::Type& type,
                   const ByteFeed& source) {
  const ChunkedDataSet dataset(file, shape, type);
  guard.throw_if_failed();
  std::int64_t row = 0;
  ChunkPipeline(guard).run([&](RawChunk& chunk) {
    if (row >= shape.rows) return false;
    chunk.dataset = &dataset;
    chunk.first_row = row;
    chunk.bytes.assign(static_cast<std::size_t>(dataset.chunk_bytes()), std::byte{0});
    const std::int64_t rows = std::min(dataset.chunk_rows(), shape.rows - row);
    source(std::span(chunk.bytes).first(static_cast<std::size_t>(rows * dataset.row_bytes())));
    row += rows;
    return true;
  });
}

}  // namespace pleat
