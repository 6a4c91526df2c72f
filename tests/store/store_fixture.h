// A folder per test, small data sets, and results whose every number is known.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "pleat/core/error.h"
#include "pleat/core/file.h"
#include "pleat/core/half.h"
#include "pleat/store/result_writer.h"

namespace pleat {

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    std::string name = (std::filesystem::temp_directory_path() / "pleat-store-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    folder_ = name;
  }
  ~StoreTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::filesystem::path in_folder(const std::string& name) const { return folder_ / name; }
  // The names in the folder, to see what was left behind.
  [[nodiscard]] std::vector<std::string> listing() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) names.push_back(entry.path().filename());
    return names;
  }

 private:
  std::filesystem::path folder_;
};

// One record "p0", "p1", ... per length, each with its own sequence.
inline Dataset dataset_of(const std::vector<std::int64_t>& lengths) {
  Dataset dataset;
  for (const std::int64_t length : lengths) {
    std::string residues;
    for (std::int64_t i = 0; i < length; ++i) residues += "ACDEFGHIKL"[i % 10];
    Record record;
    record.id = "p" + std::to_string(dataset.records.size());
    record.sequence = dataset.sequences.append(residues, std::vector<std::uint16_t>(residues.size(), 0));
    dataset.records.push_back(record);
  }
  return dataset;
}

inline ResultLayout full_layout(DType dtype) {
  ResultLayout layout;
  layout.layers = {0, 6};
  layout.per_residue = layout.mean = layout.bos = layout.logits = layout.contacts = true;
  layout.width = 8;
  layout.depth = 6;
  layout.dtype = dtype;
  layout.alphabet = {"A", "C", "<mask>"};
  return layout;
}

// What a test expects in element `i` of a part of sequence `row`; exact in float16.
inline float expected_value(int part, std::int64_t row, std::int64_t i) {
  return static_cast<float>((part * 1009 + row * 131 + i * 7) % 2048);
}

inline std::vector<std::byte> part_bytes(int part, std::int64_t row, std::int64_t count, DType dtype) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(count) * size_of(dtype));
  for (std::int64_t i = 0; i < count; ++i) {
    const float value = expected_value(part, row, i);
    const std::uint16_t half = half_from_float(value);
    const void* const source = dtype == DType::float16 ? static_cast<const void*>(&half) : &value;
    std::memcpy(bytes.data() + static_cast<std::size_t>(i) * size_of(dtype), source, size_of(dtype));
  }
  return bytes;
}

// Numbers of the parts: layer k has mean 10k, bos 10k + 1, per_residue 10k + 2; logits 100; contacts 101.
inline SequenceResult result_of(const Dataset& dataset, const ResultLayout& layout, std::int64_t row) {
  const std::int64_t length = dataset.sequences.length(row);
  SequenceResult result;
  result.row = row;
  for (int k = 0; k < static_cast<int>(layout.layers.size()); ++k) {
    LayerResult layer;
    if (layout.mean) layer.mean = part_bytes(10 * k, row, layout.width, layout.dtype);
    if (layout.bos) layer.bos = part_bytes(10 * k + 1, row, layout.width, layout.dtype);
    if (layout.per_residue) layer.per_residue = part_bytes(10 * k + 2, row, length * layout.width, layout.dtype);
    result.layers.push_back(std::move(layer));
  }
  const auto letters = static_cast<std::int64_t>(layout.alphabet.size());
  if (layout.logits) result.logits = part_bytes(100, row, length * letters, layout.dtype);
  if (layout.contacts) result.contacts = part_bytes(101, row, length * length, layout.dtype);
  result.seconds = 0.5 + static_cast<double>(row);
  result.device = "cpu:0";
  return result;
}

inline FileAttributes example_attributes() {
  FileAttributes attributes;
  attributes.pleat_version = "0.1.0";
  attributes.created_utc = "2025-01-31T12:00:00Z";
  attributes.manifest_yaml = "version: 1\nmodel: esm2_t6_8M_UR50D\n";
  attributes.manifest_sha256 = std::string(64, 'a');
  attributes.model_name = "esm2_t6_8M_UR50D";
  attributes.model_sha256 = std::string(64, 'b');
  attributes.precision = "float32";
  attributes.devices = "cpu:0";
  attributes.source_revision = "abcdef";
  return attributes;
}

// Adds the results of `rows` in that order and finishes.
inline WriteSummary write_results(const std::filesystem::path& output, const ResultLayout& layout,
                                  const Dataset& dataset, const std::vector<std::int64_t>& rows,
                                  const WriterOptions& options = {}) {
  ResultWriter writer(output, layout, dataset, options);
  for (const std::int64_t row : rows) writer.add(result_of(dataset, layout, row));
  return writer.finish(example_attributes());
}

inline std::string content_of(const std::filesystem::path& file) { return read_text_file(file); }

inline void write_content(const std::filesystem::path& file, const std::string& content) {
  std::ofstream(file, std::ios::binary) << content;
}

// The Error that `action` throws; a test failure when it throws none.
template <typename Action>
Error error_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no Error was thrown";
  return {ErrorCode::internal, "no Error was thrown"};
}

}  // namespace pleat
