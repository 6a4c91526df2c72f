#include "store/check_numbers.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

#include "store/row_reader.h"
#include "store/schema.h"

namespace pleat {
namespace {

constexpr double unbounded = std::numeric_limits<double>::infinity();

struct FloatRange {
  double lowest;
  double highest;
};

// Nothing for what is no dataset of computed floats.
std::optional<FloatRange> range_of(std::string_view path) {
  if (path.starts_with(schema::embeddings_group) || path == schema::logits || path == schema::positions) {
    return FloatRange{-unbounded, unbounded};
  }
  if (path == schema::contact_values || path == schema::ptm) return FloatRange{0, 1};
  if (path == schema::plddt) return FloatRange{0, 100};
  if (path == schema::pae) return FloatRange{0, 1000};
  return std::nullopt;
}

std::string of_sequence(std::int64_t sequence) { return " of sequence " + std::to_string(sequence); }

}  // namespace

bool is_checked_number(const std::string& path) {
  return range_of(path).has_value() || path == schema::recycles || path == schema::atom_mask;
}

std::span<const std::int64_t> NumberChecker::begins_of(const std::string& path) const {
  if (path == schema::contact_values || path == schema::pae) return begins_.of_pairs;
  const bool one_each = path == schema::ptm || path == schema::mean_plddt || path == schema::recycles ||
                        (path.starts_with(schema::embeddings_group) && !path.ends_with(schema::per_residue_name));
  return one_each ? begins_.of_sequences : begins_.of_residues;
}

void NumberChecker::check(const DataSetInfo& info) {
  if (info.shape.empty() || info.shape.front() != begins_of(info.path).back()) return;  // told of already
  if (const auto range = range_of(info.path)) return check_floats(info, range->lowest, range->highest);
  if (info.path == schema::recycles) return check_integers(info, -1, 0, 1'000'000);
  check_integers(info, 0, 0, 1);
}

void NumberChecker::check_floats(const DataSetInfo& info, double lowest, double highest) {
  const hdf5::OpenDataSet dataset(file_, info.path);
  read_by_sequence<float>(
      dataset, H5T_NATIVE_FLOAT, begins_of(info.path),
      [&](std::int64_t sequence, std::int64_t, std::span<const float> values) {
        for (const float value : values) {
          if (!is_computed(sequence)) {
            if (!std::isnan(value)) {
              problems_.add(info.path, "not missing", "there are numbers" + of_sequence(sequence) + ", which failed");
            }
          } else if (!std::isfinite(value)) {
            problems_.add(info.path, "not finite",
                          "there is NaN or infinity among the numbers" + of_sequence(sequence));
          } else if (value < lowest || value > highest) {
            problems_.add(info.path, "range", "a number" + of_sequence(sequence) + " is " + std::to_string(value));
          }
        }
      });
}

void NumberChecker::check_integers(const DataSetInfo& info, std::int64_t missing, std::int64_t lowest,
                                   std::int64_t highest) {
  const hdf5::OpenDataSet dataset(file_, info.path);
  read_by_sequence<std::int64_t>(
      dataset, H5T_NATIVE_INT64, begins_of(info.path),
      [&](std::int64_t sequence, std::int64_t, std::span<const std::int64_t> values) {
        for (const std::int64_t value : values) {
          const bool good = is_computed(sequence) ? value >= lowest && value <= highest : value == missing;
          if (!good)
            problems_.add(info.path, "range", "a number" + of_sequence(sequence) + " is " + std::to_string(value));
        }
      });
}

void NumberChecker::check_mean(const DataSetInfo& mean, const DataSetInfo& per_residue) {
  // A stored number is off by half a unit in its last place; the mean of the stored ones by as much of their size.
  const bool both_wide = mean.type == "float32" && per_residue.type == "float32";
  const double unit = both_wide ? 1e-6 : 1.0 / 1024;
  const auto width = static_cast<std::size_t>(mean.shape.back());
  if (mean.shape.size() != 2 || per_residue.shape.size() != 2 || per_residue.shape.back() != mean.shape.back()) {
    return problems_.add(mean.path, "shape", "the width is not that of " + per_residue.path);
  }
  if (mean.shape.front() != begins_.of_sequences.back() || per_residue.shape.front() != begins_.of_residues.back())
    return;
  const hdf5::OpenDataSet means(file_, mean.path);
  const hdf5::OpenDataSet residues(file_, per_residue.path);
  std::vector<double> sum;
  std::vector<double> size;
  std::vector<float> stored(width);
  read_by_sequence<float>(residues, H5T_NATIVE_FLOAT, begins_.of_residues,
                          [&](std::int64_t sequence, std::int64_t begin, std::span<const float> values) {
                            if (begin == 0) {
                              sum.assign(width, 0);
                              size.assign(width, 0);
                            }
                            for (std::size_t i = 0; i < values.size(); ++i) {
                              sum[i % width] += values[i];
                              size[i % width] += std::abs(values[i]);
                            }
                            const std::int64_t length = begins_.of_residues[static_cast<std::size_t>(sequence) + 1] -
                                                        begins_.of_residues[static_cast<std::size_t>(sequence)];
                            const bool last = begin + std::ssize(values) == length * static_cast<std::int64_t>(width);
                            if (!last || !is_computed(sequence)) return;
                            means.read(sequence, 1, H5T_NATIVE_FLOAT, stored.data());
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
  constexpr std::int64_t slots = 14;
  if (values.shape() != masks.shape() || values.rows() != begins_.of_residues.back()) return;
  if (positions.rows() != values.rows() || means.rows() != begins_.of_sequences.back()) return;
  double sum = 0;
  double atoms = 0;
  std::vector<std::uint8_t> mask;
  std::vector<float> xyz;
  read_by_sequence<float>(
      values, H5T_NATIVE_FLOAT, begins_.of_residues,
      [&](std::int64_t sequence, std::int64_t begin, std::span<const float> some) {
        const std::int64_t first_row = begins_.of_residues[static_cast<std::size_t>(sequence)] + begin / slots;
        const std::int64_t rows = std::ssize(some) / slots;
        mask.resize(some.size());
        xyz.resize(3 * some.size());
        masks.read(first_row, rows, H5T_NATIVE_UINT8, mask.data());
        positions.read(first_row, rows, H5T_NATIVE_FLOAT, xyz.data());
        if (begin == 0) sum = atoms = 0;
        for (std::size_t i = 0; i < some.size(); ++i) {
          sum += mask[i] != 0 ? some[i] : 0;
          atoms += mask[i] != 0 ? 1 : 0;
          const bool empty = xyz[3 * i] == 0 && xyz[3 * i + 1] == 0 && xyz[3 * i + 2] == 0 && some[i] == 0;
          if (mask[i] == 0 && is_computed(sequence) && !empty) {
            problems_.add(schema::atom_mask, "position", "there is a position without an atom" + of_sequence(sequence));
          }
        }
        const std::int64_t length = begins_.of_residues[static_cast<std::size_t>(sequence) + 1] -
                                    begins_.of_residues[static_cast<std::size_t>(sequence)];
        if (begin + std::ssize(some) != length * slots) return;
        float stored = 0;
        means.read(sequence, 1, H5T_NATIVE_FLOAT, &stored);
        // A sequence of X alone has no atoms, and so no mean.
        const bool has_mean = is_computed(sequence) && atoms > 0;
        const bool good = has_mean ? std::abs(stored - sum / atoms) <= tolerance : std::isnan(stored);
        if (!good) {
          problems_.add(schema::mean_plddt, "mean", "the mean" + of_sequence(sequence) + " is not that of its atoms");
        }
      });
}

}  // namespace pleat
