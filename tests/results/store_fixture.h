// A folder per test, small data sets, and results whose every number is known.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/file.h"
#include "core/half.h"
#include "core/scratch_folder.h"
#include "results/result_writer.h"
#include "sequence/residues.h"

namespace pleat {

class StoreTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path in_folder(const std::string& name) const { return folder_ / name; }
  // The names in the folder, to see what was left behind.
  [[nodiscard]] std::vector<std::string> listing() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) names.push_back(entry.path().filename());
    return names;
  }

 private:
  ScratchFolder scratch_;
  std::filesystem::path folder_ = scratch_.path();
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

inline ResultLayout folding_layout(DType dtype) {
  ResultLayout layout;
  layout.structure = layout.pae = true;
  layout.structure_dtype = dtype;
  return layout;
}

// What a test expects in element `i` of a part of sequence `row`; exact in float16.
inline float expected_value(int part, std::int64_t row, std::int64_t i) {
  return static_cast<float>((part * 1009 + row * 131 + i * 7) % 2048);
}

inline std::vector<std::byte> bytes_of_floats(const std::vector<float>& values, DType dtype) {
  std::vector<std::byte> bytes(values.size() * size_of(dtype));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t half = half_from_float(values[i]);
    const void* const source = dtype == DType::float16 ? static_cast<const void*>(&half) : &values[i];
    std::memcpy(bytes.data() + i * size_of(dtype), source, size_of(dtype));
  }
  return bytes;
}

inline std::vector<std::byte> part_bytes(int part, std::int64_t row, std::int64_t count, DType dtype) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(expected_value(part, row, i));
  return bytes_of_floats(values, dtype);
}

// Every atom that the residues have, on a helix that turns once in 3.6 residues, with numbers of its own for each row.
inline StructureResult structure_of(std::string_view residues, std::int64_t row, const ResultLayout& layout) {
  const auto length = static_cast<std::int64_t>(residues.size());
  constexpr auto slots = static_cast<std::int64_t>(residues::slots);
  StructureResult structure;
  std::vector<float> plddt;
  for (std::int64_t i = 0; i < length; ++i) {
    for (std::int64_t slot = 0; slot < slots; ++slot) {
      const bool there = !residues::atom_names[residues::type_of(residues[static_cast<std::size_t>(i)])]
                                              [static_cast<std::size_t>(slot)]
                                                  .empty();
      const double angle = 1.745 * static_cast<double>(i) + 0.2 * static_cast<double>(slot);
      const double radius = 2.3 + 0.4 * static_cast<double>(slot);
      structure.atom_mask.push_back(there ? 1 : 0);
      plddt.push_back(there ? static_cast<float>((row * 7 + i * 3 + slot) % 101) : 0);
      for (const double value : {radius * std::cos(angle), radius * std::sin(angle),
                                 1.25 * static_cast<double>(i) + 100.0 * static_cast<double>(row)}) {
        structure.positions.push_back(there ? static_cast<float>(value) : 0);
      }
    }
  }
  structure.plddt = bytes_of_floats(plddt, layout.structure_dtype);
  structure.mean_plddt = 50.25F + static_cast<float>(row);
  structure.ptm = 0.5F + static_cast<float>(row) / 64;
  structure.recycles = static_cast<std::int32_t>(row % 4);
  if (layout.pae) structure.pae = part_bytes(102, row, length * length, layout.structure_dtype);
  return structure;
}

// Numbers of the parts: layer k has mean 10k, bos 10k + 1, per_residue 10k + 2; logits 100; contacts 101, pae 102.
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
  if (layout.structure) result.structure = structure_of(dataset.sequences.residues(row), row, layout);
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
