#include "pleat/store/result_writer.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "chunk_writer.h"
#include "guarded_file.h"
#include "hdf5_types.h"
#include "part_stream.h"
#include "pleat/core/error.h"
#include "pleat/core/file.h"
#include "pleat/core/locked_file.h"
#include "pleat/store/schema.h"
#include "record_parts.h"
#include "record_tables.h"
#include "segment_store.h"
#include "work_folder.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;

fs::path with_suffix(const fs::path& path, const char* suffix) {
  fs::path longer = path;
  longer += suffix;
  return longer;
}

void check_nothing_in_the_way(const fs::path& output, bool overwrite) {
  const std::string name = "'" + output.string() + "'";
  std::error_code error;
  const fs::file_status status = fs::status(output, error);
  if (status.type() == fs::file_type::not_found) return;
  if (error) throw_system_error(error.value(), "create", output, ErrorCode::cannot_create);
  if (!fs::is_regular_file(status)) throw Error(ErrorCode::cannot_create, name + " is there and is not a file");
  if (!overwrite) {
    throw Error(ErrorCode::cannot_create, name + " is there already",
                "replace it with --overwrite, or choose another place with --output");
  }
}

void check_folder(const fs::path& output) {
  if (!output.has_filename()) {
    throw Error(ErrorCode::cannot_create, "the output '" + output.string() + "' has no file name");
  }
  const fs::path folder = output.has_parent_path() ? output.parent_path() : fs::path(".");
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  if (status.type() == fs::file_type::not_found) {
    throw Error(ErrorCode::cannot_create,
                "cannot create '" + output.string() + "': the folder '" + folder.string() + "' does not exist",
                "make the folder first, or choose another place with --output");
  }
  if (error) throw_system_error(error.value(), "create", output, ErrorCode::cannot_create);
  if (!fs::is_directory(status)) {
    throw Error(ErrorCode::cannot_create,
                "cannot create '" + output.string() + "': '" + folder.string() + "' is not a folder");
  }
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    throw_system_error(errno, "create", output, ErrorCode::cannot_create);
  }
}

void check_layout(const ResultLayout& layout) {
  const bool has_layers = !layout.layers.empty();
  if (has_layers && layout.width <= 0) throw Error(ErrorCode::internal, "embeddings need a width");
  if (layout.logits && layout.alphabet.empty()) throw Error(ErrorCode::internal, "logits need an alphabet");
  if (layout.pae && !layout.structure) throw Error(ErrorCode::internal, "pae needs structures");
  static_cast<void>(parts_of(layout));  // knows which types can be stored
}

std::int64_t uncompressed_bytes(const std::vector<Part>& parts, const SequenceTable& sequences) {
  std::int64_t bytes = 0;
  for (std::int64_t row = 0; row < sequences.size(); ++row) {
    for (const Part& part : parts) bytes += rows_of(part.extent, sequences.length(row)) * part.row_bytes();
  }
  return bytes;
}

// A run that is bound to fill the disk is refused before a night has gone into it.
void check_room(const fs::path& work_folder, std::int64_t needed) {
  std::error_code error;
  const fs::space_info space = fs::space(work_folder, error);
  if (error || static_cast<std::uintmax_t>(needed) <= space.available) return;
  const auto megabytes = [](auto bytes) { return std::to_string(bytes / 1'000'000) + " MB"; };
  throw Error(ErrorCode::retry,
              "the results take " + megabytes(needed) + " before they are compressed, and '" + work_folder.string() +
                  "' has " + megabytes(space.available) + " free",
              "make room on that disk, or choose another place with --work-dir");
}

// The file under its passing name: locked, so that two runs with different work folders cannot write it together, and
// removed unless it was renamed.
class PartialFile {
 public:
  explicit PartialFile(fs::path path) : path_(std::move(path)) {
    LockedFile locked = open_locked(path_);
    if (!locked.is_ours) {
      throw Error(ErrorCode::cannot_create, "another run is writing '" + path_.string() + "'",
                  "wait for that run to end, or choose another place with --output");
    }
    lock_ = std::move(locked.file);
    if (::ftruncate(lock_.get(), 0) != 0) throw_system_error(errno, "create", path_, ErrorCode::cannot_create);
  }
  ~PartialFile() { remove(); }
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;
  PartialFile(PartialFile&&) = delete;
  PartialFile& operator=(PartialFile&&) = delete;

  [[nodiscard]] const fs::path& path() const { return path_; }
  // Leaves the file where it is.
  fs::path keep() { return std::exchange(path_, fs::path()); }
  void rename_to(const fs::path& output) {
    rename_durably(path_, output);
    path_.clear();
    lock_ = FileDescriptor();  // HDF5's readers take a lock too
  }
  void remove() noexcept {
    std::error_code ignored;
    if (!path_.empty()) fs::remove(path_, ignored);
  }

 private:
  fs::path path_;
  FileDescriptor lock_;
};

}  // namespace

struct ResultWriter::Impl {
  Impl(fs::path output_path, ResultLayout result_layout, const Dataset& data, const WriterOptions& writer_options)
      : output((check_folder(output_path), check_nothing_in_the_way(output_path, writer_options.overwrite),
                check_layout(result_layout), std::move(output_path))),
        layout(std::move(result_layout)),
        dataset(data),
        overwrite(writer_options.overwrite),
        parts(parts_of(layout)),
        work(writer_options.work_folder.empty() ? with_suffix(output, ".work") : writer_options.work_folder,
             writer_options.work_folder.empty()),
        partial(with_suffix(output, ".partial")),
        segments(work.path()),
        index(data.sequences.size()),
        outcomes(data.sequences.size()) {
    check_room(work.path(), uncompressed_bytes(parts, dataset.sequences));
  }

  void write_partial(const FileAttributes& attributes);
  void write_file(const hdf5::File& file, const GuardedFile& guard, const FileAttributes& attributes);
  void write_pair_offsets(const hdf5::File& file, const GuardedFile& guard, const char* path) const;
  void check_sizes(const SequenceResult& result, const std::vector<std::span<const std::byte>>& bytes) const;

  fs::path output;
  ResultLayout layout;
  const Dataset& dataset;
  bool overwrite;
  std::vector<Part> parts;
  WorkFolder work;
  PartialFile partial;
  SegmentStore segments;
  RecordIndex index;
  SequenceOutcomes outcomes;
};

void ResultWriter::Impl::check_sizes(const SequenceResult& result,
                                     const std::vector<std::span<const std::byte>>& bytes) const {
  const std::int64_t length = dataset.sequences.length(result.row);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto expected = static_cast<std::size_t>(rows_of(parts[i].extent, length) * parts[i].row_bytes());
    if (bytes[i].size() == expected) continue;
    throw Error(ErrorCode::internal, "the result of sequence row " + std::to_string(result.row) + " has " +
                                         std::to_string(bytes[i].size()) + " bytes for " + parts[i].path +
                                         " instead of " + std::to_string(expected));
  }
}

void ResultWriter::Impl::write_pair_offsets(const hdf5::File& file, const GuardedFile& guard, const char* path) const {
  std::vector<std::int64_t> offsets{0};
  for (std::int64_t row = 0; row < dataset.sequences.size(); ++row) {
    offsets.push_back(offsets.back() + rows_of(Extent::pair, dataset.sequences.length(row)));
  }
  write_chunked(file, guard, {path, static_cast<std::int64_t>(offsets.size())}, hdf5::copy_of(H5T_STD_I64LE),
                bytes_from(std::as_bytes(std::span(offsets))));
}

void ResultWriter::Impl::write_file(const hdf5::File& file, const GuardedFile& guard,
                                    const FileAttributes& attributes) {
  write_attributes(file, attributes);
  write_records(file, guard, dataset.records, outcomes);
  write_sequences(file, guard, dataset.sequences);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::int64_t rows = 0;
    for (std::int64_t row = 0; row < dataset.sequences.size(); ++row) {
      rows += rows_of(parts[i].extent, dataset.sequences.length(row));
    }
    PartStream stream(segments, index, parts, i, dataset.sequences);
    write_chunked(file, guard, {parts[i].path, rows, parts[i].row_shape}, hdf5::type_of(parts[i].element),
                  [&](std::span<std::byte> out) { stream.read(out); });
    if (!parts[i].units.empty()) write_text(file, parts[i].path, schema::attr_units, parts[i].units);
  }
  if (layout.logits) write_text_list(file, schema::logits, schema::attr_alphabet, layout.alphabet);
  if (layout.contacts) write_pair_offsets(file, guard, schema::contact_offsets);
  if (layout.pae) write_pair_offsets(file, guard, schema::pae_offsets);
  if (layout.structure) write_structure_tables(file, guard, dataset.sequences);
  hdf5::require(H5Fflush(file.get(), H5F_SCOPE_GLOBAL), "flush the result file");
}

ResultWriter::ResultWriter(fs::path output, ResultLayout layout, const Dataset& dataset, const WriterOptions& options)
    : impl_(std::make_unique<Impl>(std::move(output), std::move(layout), dataset, options)) {}

ResultWriter::~ResultWriter() = default;

void ResultWriter::add(const SequenceResult& result) {
  impl_->outcomes.check_new(result.row);
  if (!result.failed) {
    const std::vector<std::span<const std::byte>> bytes = bytes_of(result, impl_->layout);
    impl_->check_sizes(result, bytes);
    impl_->index.set(result.row, impl_->segments.append(result.row, bytes));
  }
  impl_->outcomes.keep(result);  // last, so that a row that could not be written counts as never computed
}

void ResultWriter::Impl::write_partial(const FileAttributes& attributes) {
  GuardedFile guard(partial.path());
  try {
    hdf5::File file = hdf5::create_in(guard);
    write_file(file, guard, attributes);
    if (!file.reset()) hdf5::fail("close the result file", ErrorCode::io);
    guard.throw_if_failed();
    fsync_path(partial.path());
  } catch (const Error&) {
    partial.remove();
    guard.throw_if_failed();  // the reason behind HDF5's complaint
    throw;
  }
}

WriteSummary ResultWriter::finish(const FileAttributes& attributes, const std::function<void()>& before_rename) {
  hdf5::silence();
  impl_->write_partial(attributes);
  WriteSummary summary;
  summary.file_bytes = static_cast<std::int64_t>(fs::file_size(impl_->partial.path()));
  if (!impl_->overwrite && fs::exists(impl_->output)) {
    throw Error(ErrorCode::cannot_create, "'" + impl_->output.string() + "' was made by something else during the run",
                "the results are in '" + impl_->partial.keep().string() + "'; rename it");
  }
  if (before_rename) before_rename();
  impl_->partial.rename_to(impl_->output);
  impl_->work.remove();
  return summary;
}

}  // namespace pleat
