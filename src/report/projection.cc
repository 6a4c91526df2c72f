#include "report/projection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "core/error.h"
#include "format/schema.h"
#include "format/schema_table.h"

namespace pleat {
namespace {

constexpr std::int64_t most_fitted = 4000;

// A file's mean vectors.
struct Vectors {
  const ResultReader* results = nullptr;
  std::uint16_t file = 0;
};

// The last layer with means: its path and width.
std::pair<std::string, std::int64_t> last_means(const ResultReader& results) {
  std::pair<std::string, std::int64_t> found;
  for (const DataSetInfo& info : results.datasets()) {
    const schema::DatasetEntry* const entry = schema::find_dataset(info.path);
    const bool is_mean = entry != nullptr && entry->path == schema::layer_mean;
    if (is_mean && info.shape.size() == 2 && info.shape[0] == results.sequence_count())
      found = {info.path, info.shape[1]};
  }
  return found;
}

// Calls see(row, vector) for the rows of sequences that have one, in order.
template <class See>
void for_each_vector(const ResultReader& results, const std::string& path, std::int64_t width, const See& see) {
  constexpr std::int64_t block = 2048;
  for (std::int64_t first = 0; first < results.sequence_count(); first += block) {
    const std::int64_t count = std::min(block, results.sequence_count() - first);
    const std::vector<float> values = results.floats(path, first, count);
    for (std::int64_t row = 0; row < count; ++row) {
      const std::span<const float> vector(values.data() + row * width, static_cast<std::size_t>(width));
      if (std::ranges::all_of(vector, [](float value) { return std::isfinite(value); })) see(first + row, vector);
    }
  }
}

class Projector {
 public:
  Projector(std::string path, std::int64_t width, std::vector<Vectors> files)
      : path_(std::move(path)), width_(width), files_(std::move(files)) {}

  // Counts the vectors, then keeps some of them, evenly spread, and finds the axes.
  void fit() {
    for_all([&](std::size_t, std::int64_t, std::span<const float>) { ++vectors_; });
    const std::int64_t stride = std::max<std::int64_t>(1, (vectors_ + most_fitted - 1) / most_fitted);
    std::vector<float> sample;
    std::int64_t at = 0;
    for_all([&](std::size_t, std::int64_t, std::span<const float> vector) {
      if (at++ % stride == 0) sample.insert(sample.end(), vector.begin(), vector.end());
    });
    fitted_ = width_ == 0 ? 0 : std::ssize(sample) / width_;
    center(sample);
    axes_ = principal_axes(sample, width_);
  }

  // Fills in x, y and norm by row for each file.
  template <class Set>
  void place(const Set& set) const {
    for_all([&](std::size_t file, std::int64_t row, std::span<const float> vector) {
      double x = 0;
      double y = 0;
      double square = 0;
      for (std::size_t i = 0; i < vector.size(); ++i) {
        const double value = vector[i];
        square += value * value;
        if (axes_.directions.empty()) continue;
        x += (value - center_[i]) * static_cast<double>(axes_.directions[i]);
        y += (value - center_[i]) * static_cast<double>(axes_.directions[vector.size() + i]);
      }
      set(file, row, static_cast<float>(x), static_cast<float>(y), static_cast<float>(std::sqrt(square)));
    });
  }

  [[nodiscard]] const Axes& axes() const { return axes_; }
  [[nodiscard]] std::int64_t vectors() const { return vectors_; }
  [[nodiscard]] std::int64_t fitted() const { return fitted_; }

 private:
  template <class See>
  void for_all(const See& see) const {
    for (const Vectors& file : files_) {
      for_each_vector(*file.results, path_, width_,
                      [&](std::int64_t row, std::span<const float> vector) { see(file.file, row, vector); });
    }
  }

  void center(std::vector<float>& sample) {
    center_.assign(static_cast<std::size_t>(width_), 0.0);
    for (std::size_t i = 0; i < sample.size(); ++i) center_[i % center_.size()] += sample[i];
    for (double& value : center_) value /= static_cast<double>(std::max<std::int64_t>(1, fitted_));
    for (std::size_t i = 0; i < sample.size(); ++i) {
      sample[i] = static_cast<float>(static_cast<double>(sample[i]) - center_[i % center_.size()]);
    }
  }

  std::string path_;
  std::int64_t width_;
  std::vector<Vectors> files_;
  std::vector<double> center_;
  Axes axes_;
  std::int64_t vectors_ = 0;
  std::int64_t fitted_ = 0;
};

}  // namespace

EmbeddingProjection project(const std::vector<ResultReader>& files, const RecordTable& records) {
  EmbeddingProjection found;
  std::int64_t width = 0;
  std::string model;
  std::vector<Vectors> taken;
  for (std::size_t file = 0; file < files.size(); ++file) {
    const auto [path, columns] = last_means(files[file]);
    if (path.empty()) continue;
    if (found.path.empty()) {
      found.path = path;
      width = columns;
      model = files[file].attributes().model_sha256;
    }
    if (path == found.path && columns == width && files[file].attributes().model_sha256 == model) {
      taken.push_back({&files[file], static_cast<std::uint16_t>(file)});
    } else {
      found.notes.push_back(fmt::format("the embeddings of '{}' are of another model or layer and not projected",
                                        files[file].file().filename().string()));
    }
  }
  if (found.path.empty()) return found;
  Projector projector(found.path, width, taken);
  projector.fit();
  constexpr float missing = std::numeric_limits<float>::quiet_NaN();
  struct Point {
    float x = missing;
    float y = missing;
    float norm = missing;
  };
  std::vector<std::vector<Point>> points;
  points.reserve(files.size());
  for (const ResultReader& file : files) points.emplace_back(static_cast<std::size_t>(file.sequence_count()));
  projector.place([&](std::size_t file, std::int64_t row, float x, float y, float norm) {
    points[file][static_cast<std::size_t>(row)] = {x, y, norm};
  });
  for (std::size_t i = 0; i < records.size(); ++i) {
    const bool is_there = records.sequence[i] >= 0 && records.is_ok(i);
    const Point point = is_there ? points[records.file[i]][static_cast<std::size_t>(records.sequence[i])] : Point{};
    found.x.push_back(point.x);
    found.y.push_back(point.y);
    found.norm.push_back(point.norm);
  }
  const Axes& axes = projector.axes();
  found.vectors = projector.vectors();
  found.fitted = projector.fitted();
  found.explained_x = axes.total > 0 ? axes.first / axes.total : 0;
  found.explained_y = axes.total > 0 ? axes.second / axes.total : 0;
  return found;
}

}  // namespace pleat
