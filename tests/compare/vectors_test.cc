#include "compare/vectors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace pleat {
namespace {

VectorDifference difference_of(const std::vector<float>& a, const std::vector<float>& b, std::size_t width) {
  VectorDifference difference;
  difference.add(a, b, width);
  return difference;
}

// numpy: a.dot(b) / norm(a) / norm(b) of each row; norm(b - a) / norm(a)
TEST(VectorDifference, HasTheWorstRowsCosineAndTheWholesError) {
  const VectorDifference difference = difference_of({1, 2, 3, 4, 5, 6}, {1, 2, 4, 4, 5, 3}, 3);
  EXPECT_NEAR(difference.cosine(), 0.950871, 1e-6);  // of the second row; .991460 of the first
  EXPECT_NEAR(difference.relative_error(), 0.331497, 1e-6);
}

TEST(VectorDifference, IsTheSameInBlocks) {
  const std::vector<float> a{1, 2, 3, 4, -5, 6, 7, 8};
  const std::vector<float> b{1, 2, 3, 5, -5, 7, 7, 7};
  VectorDifference blocks;
  blocks.add(std::span(a).first(2), std::span(b).first(2), 2);
  blocks.add(std::span(a).subspan(2), std::span(b).subspan(2), 2);
  EXPECT_EQ(blocks.cosine(), difference_of(a, b, 2).cosine());
  EXPECT_EQ(blocks.relative_error(), difference_of(a, b, 2).relative_error());
}

TEST(VectorDifference, OfZerosAndOfNumbersThatAreNone) {
  EXPECT_EQ(difference_of({0, 0}, {0, 0}, 2).cosine(), 1);
  EXPECT_EQ(difference_of({0, 0}, {0, 0}, 2).relative_error(), 0);
  EXPECT_EQ(difference_of({0, 0}, {0, 1}, 2).cosine(), 0);
  EXPECT_TRUE(std::isinf(difference_of({0, 0}, {0, 1}, 2).relative_error()));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  // Also where good rows follow.
  EXPECT_EQ(difference_of({1, 1, 1, 1}, {nan, 1, 1, 1}, 2).cosine(), -1);
  EXPECT_TRUE(std::isinf(difference_of({1, 1, 1, 1}, {nan, 1, 1, 1}, 2).relative_error()));
  EXPECT_TRUE(std::isnan(VectorDifference().cosine()));
  EXPECT_TRUE(std::isnan(VectorDifference().relative_error()));
}

}  // namespace
}  // namespace pleat
