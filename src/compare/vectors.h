// How far rows of numbers are from others.
#pragma once

#include <cstddef>
#include <limits>
#include <span>

namespace pleat {

// Taken in block by block, so that a record of any length can be compared.
class VectorDifference {
 public:
  // `a` and `b` hold the same number of rows of `width`.
  void add(std::span<const float> a, std::span<const float> b, std::size_t width);

  // The least over the rows of a.b / (|a| |b|); 1 where both are zero, 0 where one of them is, -1 where a number
  // is not finite. NaN without rows.
  [[nodiscard]] double cosine() const { return cosine_; }
  // |b - a| / |a| over all rows together; 0 where both are zero, infinity where only a is, or a number is not finite.
  // NaN without rows.
  [[nodiscard]] double relative_error() const;

 private:
  double cosine_ = std::numeric_limits<double>::quiet_NaN();
  double difference_ = 0;  // squared, as is:
  double magnitude_ = 0;
};

}  // namespace pleat
