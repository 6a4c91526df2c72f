// Reading HDF5 without trusting it: types and sizes are checked before memory is asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hdf5/dataset_info.h"
#include "hdf5/hdf5_handle.h"

namespace pleat::hdf5 {

// Throws Error(missing_input) or Error(bad_input) in the words of ResultReader's constructor.
// Each open dataset keeps chunks of up to `cache_bytes`.
[[nodiscard]] File open_for_reading(const std::string& path, std::size_t cache_bytes = std::size_t{16} << 20);

// A utf8 (or ascii) string attribute of "/"; nothing where there is none, or it is something else.
[[nodiscard]] std::optional<std::string> text_attribute(const File& file, const char* name);
[[nodiscard]] std::optional<std::int64_t> integer_attribute(const File& file, const char* name);

// The numbers of a one-dimensional attribute of "/"; empty likewise.
[[nodiscard]] std::vector<std::int64_t> integers_attribute(const File& file, const char* name);

// The strings of an attribute of an object, one or a list; empty likewise.
[[nodiscard]] std::vector<std::string> texts_attribute(const File& file, const std::string& object, const char* name);

// Kept open, since opening a dataset costs more than reading a few rows of it. Throws Error(bad_input), also for one
// that claims to hold more than its stored bytes can.
class OpenDataSet {
 public:
  OpenDataSet(const File& file, const std::string& path);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::vector<std::int64_t>& shape() const { return shape_; }
  // A single value, which has no shape, counts as no rows.
  [[nodiscard]] std::int64_t rows() const { return shape_.empty() ? 0 : shape_.front(); }
  // Elements in a row.
  [[nodiscard]] std::int64_t row_values() const { return row_values_; }

  // Rows [first, first + count) as `memory_type`, to which HDF5 must be able to convert. Throws Error(bad_input) where
  // they do not fill `out`, something contiguous, exactly: a file's rows need not be of the size that its reader
  // thinks.
  template <typename Values>
  void read(std::int64_t first, std::int64_t count, hid_t memory_type, Values&& out) const {
    read_bytes(first, count, memory_type, std::as_writable_bytes(std::span(out)));
  }
  [[nodiscard]] std::vector<std::string> read_texts(std::int64_t first, std::int64_t count) const;
  [[nodiscard]] DataSetInfo info() const;
  // Of the elements, as they are stored.
  [[nodiscard]] hid_t type() const { return type_.get(); }
  [[nodiscard]] hid_t id() const { return id_.get(); }
  [[nodiscard]] bool is_text_column() const;
  // Whether what is read holds pointers to memory of HDF5's, as texts of any length do.
  [[nodiscard]] bool holds_pointers() const;

 private:
  void read_bytes(std::int64_t first, std::int64_t count, hid_t memory_type, std::span<std::byte> out) const;

  std::string path_;
  DataSet id_;
  Type type_;
  std::vector<std::int64_t> shape_;
  std::int64_t row_values_ = 1;
  std::int64_t raw_bytes_ = 0;
};

[[nodiscard]] bool has_dataset(const File& file, const char* path);

// The paths of all datasets, sorted.
[[nodiscard]] std::vector<std::string> list_datasets(const File& file);

}  // namespace pleat::hdf5
