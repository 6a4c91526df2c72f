#include "report/packed_map.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "format/schema.h"

namespace pleat {
namespace {

// Residues a row.
std::int64_t bin_of(std::int64_t length, std::int64_t side) {
  return std::max<std::int64_t>(1, (length + side - 1) / side);
}

std::uint8_t in_steps(double value, float step) {
  constexpr double most = 254;
  constexpr std::uint8_t no_number = 255;
  return std::isfinite(value) ? static_cast<std::uint8_t>(std::clamp(std::round(value / step), 0.0, most)) : no_number;
}

}  // namespace

ContactMaps::ContactMaps(const ResultReader& results) : results_(&results) {
  std::int64_t stored = -1;
  for (const DataSetInfo& info : results.datasets()) {
    if (info.path == schema::contact_values && info.shape.size() == 1) stored = info.shape.front();
  }
  if (stored < 0) return;
  const std::vector<std::int64_t>& offsets = results.offsets();
  begins_.push_back(0);
  for (std::size_t row = 0; row + 1 < offsets.size(); ++row) {
    const std::int64_t length = offsets[row + 1] - offsets[row];
    begins_.push_back(begins_.back() + length * length);
  }
  if (begins_.back() != stored) {
    throw Error(ErrorCode::bad_input,
                "'" + results.file().string() + "' has " + schema::contact_values + " that do not fit its sequences");
  }
}

std::vector<float> ContactMaps::of(std::int64_t row) const {
  const std::int64_t begin = begins_[static_cast<std::size_t>(row)];
  const std::int64_t end = begins_[static_cast<std::size_t>(row) + 1];
  return results_->floats(schema::contact_values, begin, end - begin);
}

std::int64_t rows_of_map(std::int64_t length, std::int64_t side) {
  const std::int64_t bin = bin_of(length, side);
  return (length + bin - 1) / bin;
}

void add_map(const std::string& name, float step, const std::vector<float>& values, std::int64_t length,
             std::int64_t side, Blob& blob) {
  const std::int64_t bin = bin_of(length, side);
  const std::int64_t rows = rows_of_map(length, side);
  std::vector<double> sums(static_cast<std::size_t>(rows * rows));
  std::vector<std::int32_t> counts(sums.size());
  for (std::int64_t i = 0; i < length; ++i) {
    for (std::int64_t j = 0; j < length; ++j) {
      const auto at = static_cast<std::size_t>(i / bin * rows + j / bin);
      sums[at] += static_cast<double>(values[static_cast<std::size_t>(i * length + j)]);
      ++counts[at];
    }
  }
  std::vector<std::uint8_t> steps(sums.size());
  for (std::size_t at = 0; at < steps.size(); ++at) steps[at] = in_steps(sums[at] / counts[at], step);
  blob.meta[name] = {{"rows", rows}, {"bin", bin}, {"step", step}};
  blob.add(name, std::span<const std::uint8_t>(steps));
}

}  // namespace pleat
