#include <algorithm>
#include <array>
#include <numeric>

#include "core/error.h"
#include "export/vector_files.h"
#include "format/record_parts.h"
#include "hdf5/chunk_writer.h"
#include "hdf5/columns.h"
#include "hdf5/hdf5_types.h"
#include "journal/flush.h"
#include "results/partial_file.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;

// Calls `write` with an empty HDF5 file and the file behind it; it gets its name when it is whole.
template <class Write>
void write_hdf5(const fs::path& file, bool overwrite, const Write& write) {
  hdf5::silence();
  check_output(file, overwrite);
  PartialFile partial(file);
  {
    GuardedFile guard(partial.path());
    hdf5::File out = hdf5::create_in(guard);
    write(out, guard);
    const bool closed = out.reset();
    guard.throw_if_failed();
    if (!closed) throw Error(ErrorCode::io, "cannot close '" + file.string() + "': " + hdf5::innermost_error());
  }
  flush(partial.unflushed());
  partial.rename_to(file);
}

// HDF5 keeps what is below 64 KiB beside the dataset's description, where it takes no room of its own.
constexpr std::int64_t most_compact_bytes = 60'000;

// One dataset of a row per item or residue: [D] or [L, D].
class ItemDataSet {
 public:
  ItemDataSet(const hdf5::File& file, const VectorSource& source, const VectorItem& item, const std::string& name)
      : source_(source), item_(item), action_("write " + name), is_matrix_(source.kind() == VectorKind::per_residue) {
    std::vector<hsize_t> shape{static_cast<hsize_t>(source.width())};
    if (is_matrix_) shape.insert(shape.begin(), static_cast<hsize_t>(item.rows));
    type_ = hdf5::type_of(element_of(source.dtype()));
    space_ =
        hdf5::Space(hdf5::require(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), action_));
    const hdf5::Properties creation = dataset_properties();
    const std::int64_t bytes = item.rows * source.width() * static_cast<std::int64_t>(size_of(source.dtype()));
    if (bytes <= most_compact_bytes) hdf5::require(H5Pset_layout(creation.get(), H5D_COMPACT), action_);
    const hdf5::Properties link = link_properties();
    dataset_ = hdf5::DataSet(hdf5::require(
        H5Dcreate2(file.get(), name.c_str(), type_.get(), space_.get(), link.get(), creation.get(), H5P_DEFAULT),
        action_));
  }

  void write() const {
    source_.read(item_, [&](std::int64_t first, std::span<const float> values) {
      const std::vector<std::byte> bytes = stored_bytes(values, source_.dtype());
      if (!is_matrix_ || values.size() == static_cast<std::size_t>(item_.rows * source_.width())) {
        put(H5S_ALL, H5S_ALL, bytes);
        return;
      }
      const std::array<hsize_t, 2> start{static_cast<hsize_t>(first), 0};
      const std::array<hsize_t, 2> count{values.size() / static_cast<hsize_t>(source_.width()),
                                         static_cast<hsize_t>(source_.width())};
      const hdf5::Space memory(hdf5::require(H5Screate_simple(2, count.data(), nullptr), action_));
      hdf5::require(H5Sselect_hyperslab(space_.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr),
                    action_);
      put(memory.get(), space_.get(), bytes);
    });
  }

 private:
  void put(hid_t memory, hid_t space, std::span<const std::byte> bytes) const {
    hdf5::require(H5Dwrite(dataset_.get(), type_.get(), memory, space, H5P_DEFAULT, bytes.data()), action_);
  }

  const VectorSource& source_;
  const VectorItem& item_;
  std::string action_;
  bool is_matrix_;
  hdf5::Type type_;
  hdf5::Space space_;
  hdf5::DataSet dataset_;
};

// The bytes of one item after the other.
template <class Next>
ByteFeed joined(std::size_t items, const Next& next) {
  return [items, next, at = std::size_t{0}, left = std::vector<std::byte>(),
          begin = std::size_t{0}](std::span<std::byte> out) mutable {
    while (!out.empty()) {
      while (begin == left.size() && at < items) {
        left = next(at++);
        begin = 0;
      }
      const std::size_t count = std::min(out.size(), left.size() - begin);
      if (count == 0) throw Error(ErrorCode::internal, "a dataset's source has ended early");
      std::copy_n(left.begin() + static_cast<std::ptrdiff_t>(begin), count, out.begin());
      begin += count;
      out = out.subspan(count);
    }
  };
}

std::vector<std::byte> float_bytes(const VectorSource& source, const VectorItem& item) {
  std::vector<std::byte> bytes;
  source.read(item, [&](std::int64_t, std::span<const float> values) {
    const std::vector<std::byte> block = stored_bytes(values, DType::float32);
    bytes.insert(bytes.end(), block.begin(), block.end());
  });
  return bytes;
}

std::vector<std::byte> letter_bytes(const VectorSource& source, const VectorItem& item) {
  const std::string residues = source.results().sequence(item.sequence).residues;
  const auto bytes = std::as_bytes(std::span(residues));
  return {bytes.begin(), bytes.end()};
}

std::int64_t length_of(const VectorSource& source, const VectorItem& item) {
  const auto at = static_cast<std::size_t>(item.sequence);
  return source.results().offsets()[at + 1] - source.results().offsets()[at];
}

void write_ends(const hdf5::File& file, const GuardedFile& guard, const char* path, std::vector<std::int64_t> lengths) {
  std::partial_sum(lengths.begin(), lengths.end(), lengths.begin());
  write_chunked(file, guard, {path, std::ssize(lengths)}, hdf5::copy_of(H5T_STD_I64LE),
                bytes_from(std::as_bytes(std::span(lengths))));
}

}  // namespace

std::string VectorNames::next(std::string_view key) {
  std::string name(key);
  std::ranges::replace(name, '/', '_');
  if (name == ".") name = "_";
  return names_.next(name);
}

void write_vectors_h5(const VectorSource& source, const fs::path& file, bool overwrite) {
  write_hdf5(file, overwrite, [&](const hdf5::File& out, const GuardedFile& guard) {
    write_text(out, "/", "model_name", source.results().attributes().model_name);
    VectorNames names;
    for (const VectorItem& item : source.items()) {
      const std::string name = names.next(item.key);
      ItemDataSet(out, source, item, name).write();
      write_text(out, name, "original_id", item.id);
      guard.throw_if_failed();
    }
  });
}

void write_vectors_skbio(const VectorSource& source, const fs::path& file, bool overwrite) {
  const std::vector<VectorItem>& items = source.items();
  std::vector<std::int64_t> lengths;
  lengths.reserve(items.size());
  for (const VectorItem& item : items) lengths.push_back(length_of(source, item));
  const std::int64_t letters = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
  write_hdf5(file, overwrite, [&](const hdf5::File& out, const GuardedFile& guard) {
    write_text(out, "/", "format", "embedding");
    write_text(out, "/", "format-version", "1.0");
    write_text(out, "/", "dtype", "float32");
    write_text(out, "/", "model_name", source.results().attributes().model_name);
    write_number(out, "dim", source.width());
    write_chunked(out, guard, {"/embedding", source.rows(), {source.width()}}, hdf5::copy_of(H5T_IEEE_F32LE),
                  joined(items.size(), [&](std::size_t i) { return float_bytes(source, items[i]); }));
    write_chunked(out, guard, {"/id", letters}, hdf5::copy_of(H5T_STD_U8LE),
                  joined(items.size(), [&](std::size_t i) { return letter_bytes(source, items[i]); }));
    write_ends(out, guard, "/idptr", lengths);
    if (source.kind() != VectorKind::per_residue) {
      write_ends(out, guard, "/embedding_ptr", std::vector<std::int64_t>(items.size(), 1));
    }
  });
}

}  // namespace pleat
