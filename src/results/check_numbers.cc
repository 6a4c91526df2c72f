#include "results/check_numbers.h"

#include <algorithm>
#include <cmath>

#include "format/schema.h"
#include "results/row_reader.h"
#include "sequence/residues.h"

namespace pleat {
namespace {

std::string of_sequence(std::int64_t sequence) { return " of sequence " + std::to_string(sequence); }

}  // namespace

void NumberChecker::check(const DataSetInfo& info, const schema::DatasetEntry& entry) {
  if (info.shape.empty() || info.shape.front() != reader_.begins(entry.extent).back()) return;  // reported already
  const hdf5::OpenDataSet dataset(file_, info.path);
  if (info.type.starts_with("float")) {
    check_values<float>(dataset, H5T_NATIVE_FLOAT, entry);
  } else {
    check_values<std::int64_t>(dataset, H5T_NATIVE_INT64, entry);
  }
}

template <typename T>
void NumberChecker::check_values(const hdf5::OpenDataSet& dataset, hid_t native_type,
                                 const schema::DatasetEntry& entry) {
  read_by_sequence<T>(dataset, native_type, reader_.begins(entry.extent),
                      [&](std::int64_t sequence, std::int64_t, std::span<const T> values) {
                        for (const T value : values) check_value(dataset.path(), value, sequence, entry);
                      });
}

template <typename T>
void NumberChecker::check_value(const std::string& path, T value, std::int64_t sequence,
                                const schema::DatasetEntry& entry) {
  const auto number = static_cast<double>(value);
  const bool is_missing = std::isnan(entry.missing) ? std::isnan(number) : number == entry.missing;
  if (!is_computed(sequence)) {
    if (!is_missing) {
      problems_.add(path, "not missing", "there are numbers" + of_sequence(sequence) + ", which failed");
    }
  } else if (is_missing && entry.may_lack_values) {
    return;
  } else if (!std::isfinite(number)) {
    problems_.add(path, "not finite", "there is NaN or infinity among the numbers" + of_sequence(sequence));
  } else if (number < entry.range.lowest || number > entry.range.highest) {
    problems_.add(path, "range", "a number" + of_sequence(sequence) + " is " + std::to_string(value));
  }
}

void NumberChecker::check_mean(const DataSetInfo& mean, const DataSetInfo& per_residue) {
  // A stored number is off by half a unit in its last place; the mean of the stored ones by as much of their size.
  const bool both_wide = mean.type == "float32" && per_residue.type == "float32";
  const double unit = both_wide ? 1e-6 : 1.0 / 1024;
  if (mean.shape.size() != 2 || per_residue.shape.size() != 2 || per_residue.shape.back() != mean.shape.back()) {
    return problems_.add(mean.path, "shape", "the width is not that of " + per_residue.path);
  }
  const auto width = static_cast<std::size_t>(mean.shape.back());
  if (mean.shape.front() != reader_.sequence_count() || per_residue.shape.front() != reader_.residue_count()) return;
  const hdf5::OpenDataSet means(file_, mean.path);
  const hdf5::OpenDataSet residues(file_, per_residue.path);
  std::vector<double> sum;
  std::vector<double> size;
  std::vector<float> stored(width);
  read_by_sequence<float>(residues, H5T_NATIVE_FLOAT, reader_.offsets(),
                          [&](std::int64_t sequence, std::int64_t begin, std::span<const float> values) {
                            if (begin == 0) {
                              sum.assign(width, 0);
                              size.assign(width, 0);
                            }
                            for (std::size_t i = 0; i < values.size(); ++i) {
                              sum[i % width] += values[i];
                              size[i % width] += std::abs(values[i]);
                            }
                            const std::int64_t length = reader_.offsets()[static_cast<std::size_t>(sequence) + 1] -
                                                        reader_.offsets()[static_cast<std::size_t>(sequence)];
                            const bool last = begin + std::ssize(values) == length * static_cast<std::int64_t>(width);
                            if (!last || !is_computed(sequence)) return;
                            means.read(sequence, 1, H5T_NATIVE_FLOAT, stored);
                            for (std::size_t c = 0; c < width; ++c) {
                              const auto count = static_cast<double>(length);
                              if (std::abs(stored[c] - sum[c] / count) <= unit * (size[c] / count) + 1e-6) continue;
                              problems_.add(mean.path, "mean",
                                            "the mean" + of_sequence(sequence) + " is not that of its residues");
                              return;
                            }
                          });
}

void NumberChecker::check_mean_plddt(const DataSetInfo& plddt) {
  const double tolerance = plddt.type == "float16" ? 0.1 : 0.01;
  const hdf5::OpenDataSet values(file_, schema::plddt);
  const hdf5::OpenDataSet masks(file_, schema::atom_mask);
  const hdf5::OpenDataSet positions(file_, schema::positions);
  const hdf5::OpenDataSet means(file_, schema::mean_plddt);
  constexpr auto slots = static_cast<std::int64_t>(residues::slots);
  if (values.shape() != masks.shape() || values.rows() != reader_.residue_count()) return;
  if (positions.rows() != values.rows() || means.rows() != reader_.sequence_count()) return;
  double sum = 0;
  double atoms = 0;
  std::vector<std::uint8_t> mask;
  std::vector<float> xyz;
  read_by_sequence<float>(
      values, H5T_NATIVE_FLOAT, reader_.offsets(),
      [&](std::int64_t sequence, std::int64_t begin, std::span<const float> some) {
        const std::int64_t first_row = reader_.offsets()[static_cast<std::size_t>(sequence)] + begin / slots;
        const std::int64_t rows = std::ssize(some) / slots;
        mask.resize(some.size());
        xyz.resize(3 * some.size());
        masks.read(first_row, rows, H5T_NATIVE_UINT8, mask);
        positions.read(first_row, rows, H5T_NATIVE_FLOAT, xyz);
        if (begin == 0) sum = atoms = 0;
        for (std::size_t i = 0; i < some.size(); ++i) {
          sum += mask[i] != 0 ? some[i] : 0;
          atoms += mask[i] != 0 ? 1 : 0;
          const bool empty = xyz[3 * i] == 0 && xyz[3 * i + 1] == 0 && xyz[3 * i + 2] == 0 && some[i] == 0;
          if (mask[i] == 0 && is_computed(sequence) && !empty) {
            problems_.add(schema::atom_mask, "position", "there is a position without an atom" + of_sequence(sequence));
          }
        }
        const std::int64_t length = reader_.offsets()[static_cast<std::size_t>(sequence) + 1] -
                                    reader_.offsets()[static_cast<std::size_t>(sequence)];
        if (begin + std::ssize(some) != length * slots) return;
        float stored = 0;
        means.read(sequence, 1, H5T_NATIVE_FLOAT, std::span(&stored, 1));
        // A sequence of X alone has no atoms, and so no mean.
        const bool has_mean = is_computed(sequence) && atoms > 0;
        const bool good = has_mean ? std::abs(stored - sum / atoms) <= tolerance : std::isnan(stored);
        if (!good) {
          problems_.add(schema::mean_plddt, "mean", "the mean" + of_sequence(sequence) + " is not that of its atoms");
        }
      });
}

}  // namespace pleat
