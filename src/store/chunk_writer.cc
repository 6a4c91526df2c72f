#include "chunk_writer.h"

#include <tbb/parallel_pipeline.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <numeric>
#include <vector>

#include "chunk_codec.h"
#include "pleat/store/schema.h"

namespace pleat {
namespace {

// A chunk on its way through the pipeline; its buffers are used again for a later chunk.
struct Job {
  std::int64_t first_row = 0;
  std::vector<std::byte> raw;
  ChunkCodec codec;
  std::span<const std::byte> encoded;
};

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

// Whichever thread makes them; the source of the data may be calling HDF5 too.
void write_chunk(const hdf5::DataSet& dataset, const GuardedFile& guard, const Job& job, const DataSetShape& shape) {
  const std::scoped_lock lock(hdf5::one_at_a_time());
  hdf5::silence();
  std::vector<hsize_t> offset(1 + shape.row_shape.size(), 0);
  offset[0] = static_cast<hsize_t>(job.first_row);
  hdf5::require(H5Dwrite_chunk(dataset.get(), H5P_DEFAULT, 0, offset.data(), job.encoded.size(), job.encoded.data()),
                "write " + shape.path);
  guard.throw_if_failed();
}

}  // namespace

ByteSource bytes_from(std::span<const std::byte> data) {
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

void write_chunked(const hdf5::File& file, const GuardedFile& guard, const DataSetShape& shape, const hdf5::Type& type,
                   const ByteSource& source) {
  const std::size_t element_size = H5Tget_size(type.get());
  const std::int64_t row_bytes = std::accumulate(shape.row_shape.begin(), shape.row_shape.end(),
                                                 static_cast<std::int64_t>(element_size), std::multiplies<>());
  const std::int64_t chunk_rows = std::max<std::int64_t>(1, std::min(shape.rows, schema::chunk_bytes / row_bytes));
  const hdf5::DataSet dataset = make_dataset(file, shape, type, chunk_rows);
  guard.throw_if_failed();

  // Enough chunks under way to keep every core busy. A ring of jobs suffices: the last stage goes in order, so a
  // job's last chunk is written before its next one begins.
  const auto under_way = 2 * static_cast<std::size_t>(tbb::this_task_arena::max_concurrency());
  const std::int64_t chunks = (shape.rows + chunk_rows - 1) / chunk_rows;
  std::vector<Job> jobs(std::min(under_way, static_cast<std::size_t>(chunks)));
  std::int64_t next = 0;
  const auto gather = [&](tbb::flow_control& control) -> Job* {
    if (next == chunks) {
      control.stop();
      return nullptr;
    }
    Job& job = jobs[static_cast<std::size_t>(next) % jobs.size()];
    job.first_row = next++ * chunk_rows;
    // The last chunk is padded to its full size, as the format wants.
    job.raw.assign(static_cast<std::size_t>(chunk_rows * row_bytes), std::byte{0});
    const std::int64_t rows = std::min(chunk_rows, shape.rows - job.first_row);
    source(std::span(job.raw).first(static_cast<std::size_t>(rows * row_bytes)));
    return &job;
  };
  const auto compress = [&](Job* job) {
    job->encoded = job->codec.encode(job->raw, element_size);
    return job;
  };
  const auto write = [&](Job* job) { write_chunk(dataset, guard, *job, shape); };
  if (chunks == 0) return;
  tbb::parallel_pipeline(jobs.size(), tbb::make_filter<void, Job*>(tbb::filter_mode::serial_in_order, gather) &
                                          tbb::make_filter<Job*, Job*>(tbb::filter_mode::parallel, compress) &
                                          tbb::make_filter<Job*, void>(tbb::filter_mode::serial_in_order, write));
}

}  // namespace pleat
