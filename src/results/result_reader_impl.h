// What is behind ResultReader: an open file, and the ways to read from it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "format/schema.h"
#include "format/schema_table.h"
#include "hdf5/hdf5_read.h"
#include "results/result_reader.h"

namespace pleat {

[[noreturn]] inline void throw_bad(const std::filesystem::path& file, const std::string& what, std::string hint = {}) {
  throw Error(ErrorCode::bad_input, "'" + file.string() + "' " + what, std::move(hint));
}

struct ResultReader::Impl {
  explicit Impl(std::filesystem::path path)
      : file((hdf5::silence(), std::move(path))), id(hdf5::open_for_reading(file.string())) {}

  void read_attributes();
  void read_offsets();
  void read_shard();
  const hdf5::OpenDataSet& open(const std::string& path) const;
  // Throws Error(bad_input) unless the dataset has this shape.
  const hdf5::OpenDataSet& open(const std::string& path, const std::vector<std::int64_t>& shape) const;
  // Rows [first, first + count) of such a dataset.
  template <typename T>
  std::vector<T> read(const std::string& path, const std::vector<std::int64_t>& shape, std::int64_t first,
                      std::int64_t count) const;
  // The rows of a dataset that belong to a sequence. Throws Error(bad_input) unless the dataset is as the table says.
  template <typename T>
  std::vector<T> read_of(const std::string& path, std::int64_t row) const;
  // Columns of records, and of input files, into the members that the table names.
  void read_column(const schema::DatasetEntry& entry, std::int64_t first, std::vector<Record>& rows) const;
  void read_column(const schema::DatasetEntry& entry, std::vector<InputReport>& inputs) const;
  std::vector<std::int64_t> count_chains() const;
  std::vector<std::int64_t> read_variant_begins() const;
  const std::vector<std::int64_t>& begins_of_extent(Extent extent) const;
  // The row's residues: its first one and how many there are.
  std::pair<std::int64_t, std::int64_t> range_of(std::int64_t row) const;

  std::filesystem::path file;
  hdf5::File id;
  std::int64_t version = 0;
  bool complete = false;
  FileAttributes attributes;
  std::string untrained_note;
  std::int64_t records = 0;
  std::vector<std::int64_t> offsets;
  std::optional<ShardPart> shard;
  std::vector<std::int64_t> missing_shards;
  mutable std::map<std::string, hdf5::OpenDataSet> open_datasets;
  mutable std::map<Extent, std::vector<std::int64_t>> begins;
};

template <typename T>
hid_t native_type() {
  if constexpr (std::is_same_v<T, float>) return H5T_NATIVE_FLOAT;
  if constexpr (std::is_same_v<T, double>) return H5T_NATIVE_DOUBLE;
  if constexpr (std::is_same_v<T, std::uint8_t>) return H5T_NATIVE_UINT8;
  if constexpr (std::is_same_v<T, std::uint16_t>) return H5T_NATIVE_UINT16;
  if constexpr (std::is_same_v<T, std::int32_t>) return H5T_NATIVE_INT32;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_NATIVE_INT64;
}

template <typename T>
std::vector<T> ResultReader::Impl::read(const std::string& path, const std::vector<std::int64_t>& shape,
                                        std::int64_t first, std::int64_t count) const {
  const hdf5::OpenDataSet& dataset = open(path, shape);
  const std::int64_t values = std::accumulate(shape.begin() + 1, shape.end(), count, std::multiplies<>());
  std::vector<T> out(static_cast<std::size_t>(values));
  dataset.read(first, count, native_type<T>(), out);
  return out;
}

template <typename T>
std::vector<T> ResultReader::Impl::read_of(const std::string& path, std::int64_t row) const {
  static_cast<void>(range_of(row));
  const schema::DatasetEntry* const entry = schema::find_dataset(path);
  if (entry == nullptr || !is_of_sequences(entry->extent)) {
    throw Error(ErrorCode::internal, path + " has no rows of sequences");
  }
  const bool one_each = entry->extent == Extent::sequence;
  const std::vector<std::int64_t>& of_extent = one_each ? offsets : begins_of_extent(entry->extent);
  const auto at = static_cast<std::size_t>(row);
  const std::int64_t first = one_each ? row : of_extent[at];
  const std::int64_t count = one_each ? 1 : of_extent[at + 1] - first;
  std::vector<std::int64_t> shape{one_each ? std::ssize(offsets) - 1 : of_extent.back()};
  const std::vector<std::int64_t>& found = open(path).shape();
  for (const std::int64_t size : entry->sizes()) {  // below 0 where it is the model's
    shape.push_back(size < 0 && shape.size() < found.size() ? found[shape.size()] : size);
  }
  return read<T>(path, shape, first, count);
}

}  // namespace pleat
