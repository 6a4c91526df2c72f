#include "results/merge.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <string_view>

#include "core/error.h"
#include "core/file.h"
#include "format/schema.h"
#include "format/schema_table.h"
#include "hdf5/chunk_writer.h"
#include "hdf5/columns.h"
#include "hdf5/guarded_file.h"
#include "hdf5/hdf5_types.h"
#include "results/merge_parts.h"
#include "results/partial_file.h"
#include "results/record_tables.h"
#include "results/result_reader.h"

namespace pleat {
namespace {

// Rows of one dataset of one part, from front to back.
class BlockReader {
 public:
  BlockReader(const MergePart& part, const std::string& path, std::int64_t row_bytes)
      : dataset_(part.file, path), row_bytes_(row_bytes) {}

  // Rows [first, first + count), not before those read last.
  void read(std::int64_t first, std::int64_t count, std::span<std::byte> out) {
    while (count > 0) {
      if (first < first_ || first >= first_ + rows_) fill(first);
      const std::int64_t rows = std::min(count, first_ + rows_ - first);
      const auto bytes = static_cast<std::size_t>(rows * row_bytes_);
      std::memcpy(out.data(), block_.data() + (first - first_) * row_bytes_, bytes);
      out = out.subspan(bytes);
      first += rows;
      count -= rows;
    }
  }

 private:
  void fill(std::int64_t first) {
    const std::int64_t wanted = std::max<std::int64_t>(1, schema::chunk_bytes / row_bytes_);
    first_ = first;
    rows_ = std::min(wanted, dataset_.rows() - first);
    const std::int64_t count = std::max<std::int64_t>(rows_, 1);  // beyond the end the dataset refuses
    block_.resize(static_cast<std::size_t>(count * row_bytes_));
    dataset_.read(first, count, dataset_.type(), block_);
  }

  hdf5::OpenDataSet dataset_;
  std::int64_t row_bytes_;
  std::int64_t first_ = 0;
  std::int64_t rows_ = 0;  // in the block
  std::vector<std::byte> block_;
};

// How many rows of a dataset each row of the merged order has, and where they begin in their part.
class Runs {
 public:
  Runs(const MergeSources& sources, Extent extent) {
    if (!is_of_sequences(extent) || extent == Extent::sequence) return;
    for (const MergePart& part : sources.parts) begins_.push_back(&part.begins.at(extent));
  }
  [[nodiscard]] std::int64_t begin(const MergedRow& from) const { return begins_.empty() ? from.row : of(from)[0]; }
  [[nodiscard]] std::int64_t count(const MergedRow& from) const {
    return begins_.empty() ? 1 : of(from)[1] - of(from)[0];
  }
  [[nodiscard]] std::int64_t total(const std::vector<MergedRow>& order) const {
    return std::accumulate(order.begin(), order.end(), std::int64_t{0},
                           [this](std::int64_t sum, const MergedRow& from) { return sum + count(from); });
  }

 private:
  [[nodiscard]] const std::int64_t* of(const MergedRow& from) const {
    return begins_[static_cast<std::size_t>(from.part)]->data() + from.row;
  }

  std::vector<const std::vector<std::int64_t>*> begins_;  // of each part; empty: one row each
};

class Merger {
 public:
  Merger(const MergeSources& sources, const hdf5::File& file, const GuardedFile& guard, const StopToken* stop)
      : sources_(sources), file_(file), guard_(guard), stop_(stop), first_(sources.parts.front()) {}

  void write() {
    write_heading();
    for (const DataSetInfo& dataset : first_.datasets) {
      throw_if_stopped(stop_);
      if (schema::find_dataset(dataset.path)->present == schema::Present::in_shard) continue;
      write_dataset(dataset);
      copy_attributes(dataset.path);
    }
    hdf5::require(H5Fflush(file_.get(), H5F_SCOPE_GLOBAL), "flush the result file");
  }

 private:
  void write_heading() {
    FileAttributes attributes = first_.attributes;
    std::vector<std::string> devices;
    for (const MergePart& part : sources_.parts) {
      attributes.created_utc = std::max(attributes.created_utc, part.attributes.created_utc);
      if (std::ranges::find(devices, part.attributes.devices) == devices.end()) {
        devices.push_back(part.attributes.devices);
      }
    }
    attributes.devices.clear();
    for (const std::string& name : devices) attributes.devices += (attributes.devices.empty() ? "" : ",") + name;
    write_attributes(file_, attributes);
    if (!sources_.missing.empty()) write_numbers(file_, schema::attr_missing_shards, sources_.missing);
  }

  void write_dataset(const DataSetInfo& dataset) {
    const schema::DatasetEntry& entry = *schema::find_dataset(dataset.path);
    if (dataset.path == schema::record_sequence) return write_record_sequence();
    if (const auto* const offsets = std::get_if<schema::Offsets>(&entry.content)) {
      return write_offsets(dataset.path, offsets->of);
    }
    // Every shard has read all inputs.
    const bool is_in_each =
        entry.extent == Extent::input || entry.extent == Extent::residue_kind || entry.extent == Extent::variant_row;
    if (is_in_each) return write_table(dataset);
    if (entry.element == Element::text) return write_text_rows(dataset.path);
    write_rows(dataset, is_of_sequences(entry.extent) ? sources_.sequences : sources_.records, entry.extent);
  }

  void write_rows(const DataSetInfo& dataset, const std::vector<MergedRow>& order, Extent extent) {
    const hdf5::OpenDataSet model(first_.file, dataset.path);
    const std::vector<std::int64_t> row_shape(model.shape().begin() + 1, model.shape().end());
    const std::int64_t row_bytes = std::accumulate(
        row_shape.begin(), row_shape.end(), static_cast<std::int64_t>(H5Tget_size(model.type())), std::multiplies<>());
    std::vector<std::unique_ptr<BlockReader>> readers;
    readers.reserve(sources_.parts.size());
    for (const MergePart& part : sources_.parts) {
      readers.push_back(std::make_unique<BlockReader>(part, dataset.path, row_bytes));
    }
    const Runs runs(sources_, extent);
    std::size_t next = 0;   // in the order
    std::int64_t done = 0;  // rows of that run
    const auto source = [&](std::span<std::byte> out) {
      throw_if_stopped(stop_);
      const std::scoped_lock lock(hdf5::one_at_a_time());
      hdf5::silence();
      while (!out.empty()) {
        const MergedRow& from = order[next];
        const std::int64_t rows = std::min(runs.count(from) - done, std::ssize(out) / row_bytes);
        const std::span<std::byte> piece = out.first(static_cast<std::size_t>(rows * row_bytes));
        readers[static_cast<std::size_t>(from.part)]->read(runs.begin(from) + done, rows, piece);
        out = out.subspan(piece.size());
        done += rows;
        if (done < runs.count(from)) continue;
        ++next;
        done = 0;
      }
    };
    write_chunked(file_, guard_, {dataset.path, runs.total(order), row_shape}, hdf5::copy_of(model.type()), source);
  }

  void write_table(const DataSetInfo& dataset) {
    const hdf5::OpenDataSet model(first_.file, dataset.path);
    if (model.is_text_column()) {
      const std::vector<std::string> texts = model.read_texts(0, model.rows());
      return write_text_column(file_, guard_, dataset.path, texts.size(), [&](std::size_t i) { return texts[i]; });
    }
    const std::vector<std::int64_t> row_shape(model.shape().begin() + 1, model.shape().end());
    std::vector<std::byte> table(static_cast<std::size_t>(dataset.raw_bytes));
    model.read(0, model.rows(), model.type(), table);
    write_chunked(file_, guard_, {dataset.path, model.rows(), row_shape}, hdf5::copy_of(model.type()),
                  bytes_from(table));
  }

  void write_record_sequence() {
    std::vector<std::int64_t> rows(sources_.records.size());
    std::vector<std::unique_ptr<BlockReader>> readers;
    readers.reserve(sources_.parts.size());
    for (const MergePart& part : sources_.parts) {
      readers.push_back(std::make_unique<BlockReader>(part, schema::record_sequence, sizeof(std::int64_t)));
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const MergedRow& from = sources_.records[i];
      const std::vector<std::int64_t>& new_rows = sources_.parts[static_cast<std::size_t>(from.part)].new_rows;
      readers[static_cast<std::size_t>(from.part)]->read(from.row, 1, std::as_writable_bytes(std::span(&rows[i], 1)));
      if (rows[i] >= std::ssize(new_rows)) throw Error(ErrorCode::bad_input, "a record refers to no sequence");
      if (rows[i] >= 0) rows[i] = new_rows[static_cast<std::size_t>(rows[i])];
    }
    write_numbers_at(schema::record_sequence, rows);
  }

  void write_offsets(const std::string& path, Extent extent) {
    const Runs runs(sources_, extent);
    std::vector<std::int64_t> offsets{0};
    for (const MergedRow& from : sources_.sequences) offsets.push_back(offsets.back() + runs.count(from));
    write_numbers_at(path, offsets);
  }

  void write_numbers_at(const std::string& path, const std::vector<std::int64_t>& numbers) {
    write_chunked(file_, guard_, {path, std::ssize(numbers)}, hdf5::copy_of(H5T_STD_I64LE),
                  bytes_from(std::as_bytes(std::span(numbers))));
  }

  // A block of strings of each part is in memory.
  void write_text_rows(const std::string& path) {
    struct Block {
      std::optional<hdf5::OpenDataSet> dataset;
      std::int64_t first = 0;
      std::vector<std::string> texts;
    };
    std::vector<Block> blocks(sources_.parts.size());
    for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i].dataset.emplace(sources_.parts[i].file, path);
    const std::int64_t block_rows = std::max<std::int64_t>(256, schema::string_chunk_rows / std::ssize(blocks));
    write_text_column(file_, guard_, path, sources_.records.size(), [&](std::size_t i) {
      const MergedRow& from = sources_.records[i];
      Block& block = blocks[static_cast<std::size_t>(from.part)];
      if (from.row < block.first || from.row >= block.first + std::ssize(block.texts)) {
        // At least the row itself, of which a damaged part may have none: reading it then says so.
        const std::int64_t left = std::max<std::int64_t>(1, block.dataset->rows() - from.row);
        block.texts = block.dataset->read_texts(from.row, std::min(block_rows, left));
        block.first = from.row;
      }
      return block.texts[static_cast<std::size_t>(from.row - block.first)];
    });
  }

  void copy_attributes(const std::string& path) {
    for (const schema::AttributeEntry& attribute : schema::attribute_table()) {
      if (attribute.object != path) continue;
      const std::vector<std::string> texts = hdf5::texts_attribute(first_.file, path, attribute.name);
      if (!texts.empty()) write_texts(file_, path, attribute, texts);
    }
  }

  const MergeSources& sources_;
  const hdf5::File& file_;
  const GuardedFile& guard_;
  const StopToken* stop_;
  const MergePart& first_;
};

// Whether a file may be what a merge of these parts has written: a look at its attributes, before the work.
bool may_be_merge_of(const std::filesystem::path& file, const MergeSources& sources) {
  try {
    const ResultReader reader(file);
    return reader.complete() && !reader.shard() && reader.record_count() == std::ssize(sources.records) &&
           values_of_run(reader.attributes()) == values_of_run(sources.parts.front().attributes);
  } catch (const Error&) {
    return false;
  }
}

bool have_same_bytes(const std::filesystem::path& one, const std::filesystem::path& other) {
  const MappedFile first(one);
  const MappedFile second(other);
  return std::ranges::equal(first.bytes(), second.bytes());
}

}  // namespace

MergeSummary merge_results(const std::vector<std::filesystem::path>& parts, const std::filesystem::path& output,
                           const MergeOptions& options) {
  hdf5::silence();
  std::error_code nowhere;
  const bool exists = !options.overwrite && std::filesystem::is_regular_file(output, nowhere);
  if (!exists) check_output(output, options.overwrite);
  const MergeSources sources = open_parts(parts, options.allow_missing);
  // A job that is tried again may find its own work; anything else is in the way.
  if (exists && !may_be_merge_of(output, sources)) check_output(output, false);
  PartialFile partial(output);
  GuardedFile guard(partial.path());
  try {
    hdf5::File file = hdf5::create_in(guard);
    Merger(sources, file, guard, options.stop).write();
    if (!file.reset()) hdf5::fail("close the result file", ErrorCode::io);
    guard.throw_if_failed();
    fsync_path(partial.path());
  } catch (const Error&) {
    guard.throw_if_failed();  // the reason behind HDF5's complaint
    throw;
  }
  MergeSummary summary;
  summary.records = std::ssize(sources.records);
  summary.sequences = std::ssize(sources.sequences);
  summary.missing = sources.missing;
  summary.file_bytes = static_cast<std::int64_t>(std::filesystem::file_size(partial.path()));
  summary.was_there = exists && have_same_bytes(partial.path(), output);
  if (summary.was_there) return summary;
  check_output(output, options.overwrite);
  partial.rename_to(output);
  return summary;
}

}  // namespace pleat
