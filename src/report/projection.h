// Mean vectors of many proteins as points in a plane: principal component analysis.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "report/record_table.h"

namespace pleat {

struct EmbeddingProjection {
  std::string path;         // of the dataset; empty where no file has mean vectors
  std::vector<float> x;     // of each record, NaN where it has no vector
  std::vector<float> y;     // likewise
  std::vector<float> norm;  // length of the vector, likewise
  double explained_x = 0;   // share of the variance
  double explained_y = 0;
  std::int64_t vectors = 0;  // that were projected
  std::int64_t fitted = 0;   // of those, evenly spread, the ones that the axes were found with
  std::vector<std::string> notes;
};

// Of the last layer whose means the first file with embeddings has, and of the other files with the same model. The
// same files give the same numbers, bit for bit, on any machine with the same program.
[[nodiscard]] EmbeddingProjection project(const std::vector<ResultReader>& files, const RecordTable& records);

// The two directions in which `rows` [n, width] vary most, as [2, width], of unit length; the largest entry of each is
// positive. `rows` are centered. `variance` gets theirs and the total.
struct Axes {
  std::vector<float> directions;
  double first = 0;
  double second = 0;
  double total = 0;
};
[[nodiscard]] Axes principal_axes(const std::vector<float>& rows, std::int64_t width);

}  // namespace pleat
