#include "compare/vectors.h"

#include <cmath>

namespace pleat {

void VectorDifference::add(std::span<const float> a, std::span<const float> b, std::size_t width) {
  for (std::size_t begin = 0; begin + width <= a.size(); begin += width) {
    double product = 0;
    double square_a = 0;
    double square_b = 0;
    for (std::size_t i = begin; i < begin + width; ++i) {
      const double x = a[i];
      const double y = b[i];
      product += x * y;
      square_a += x * x;
      square_b += y * y;
      difference_ += (y - x) * (y - x);
    }
    magnitude_ += square_a;
    const bool both_zero = square_a == 0 && square_b == 0;
    const double scale = std::sqrt(square_a) * std::sqrt(square_b);
    double cosine = both_zero ? 1 : scale == 0 ? 0 : product / scale;
    if (!std::isfinite(cosine)) cosine = -1;
    if (!(cosine_ <= cosine)) cosine_ = cosine;  // also the first one
  }
}

double VectorDifference::relative_error() const {
  if (std::isnan(cosine_)) return cosine_;
  if (!std::isfinite(difference_)) return std::numeric_limits<double>::infinity();
  return difference_ == 0 ? 0 : std::sqrt(difference_ / magnitude_);
}

}  // namespace pleat
