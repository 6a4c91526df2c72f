#include "compare/structures.h"

#include <gtest/gtest.h>

#include <cmath>

namespace pleat {
namespace {

// A helix of 30 residues.
std::vector<Point> helix() {
  std::vector<Point> points;
  for (int i = 0; i < 30; ++i) {
    const double angle = 1.745 * i;
    points.push_back({static_cast<float>(2.3 * std::cos(angle)), static_cast<float>(2.3 * std::sin(angle)),
                      static_cast<float>(1.5 * i)});
  }
  return points;
}

// Turned about z and shifted.
std::vector<Point> moved(const std::vector<Point>& points) {
  std::vector<Point> there;
  for (const Point& p : points) {
    there.push_back(
        {static_cast<float>(0.6 * p[0] - 0.8 * p[1] + 10), static_cast<float>(0.8 * p[0] + 0.6 * p[1] - 3), p[2] + 40});
  }
  return there;
}

std::vector<Point> mirrored(std::vector<Point> points) {
  for (Point& p : points) p[2] = -p[2];
  return points;
}

TEST(SuperposedRmsd, IsZeroForTheSameInAnotherPlace) { EXPECT_NEAR(superposed_rmsd(helix(), moved(helix())), 0, 1e-5); }

// Four points of a square, one moved by 2 out of the plane; numpy: Kabsch by singular values, .514508.
TEST(SuperposedRmsd, IsThatOfTheBestSuperposition) {
  const std::vector<Point> square{{0, 0, 0}, {4, 0, 0}, {4, 4, 0}, {0, 4, 0}};
  std::vector<Point> bent = square;
  bent[2][2] = 2;
  EXPECT_NEAR(superposed_rmsd(square, bent), 0.514508, 1e-5);
}

TEST(SuperposedRmsd, DoesNotTakeAMirrorImageForTheSame) { EXPECT_GT(superposed_rmsd(helix(), mirrored(helix())), 1); }

TEST(Lddt, IsOneForTheSameInAnotherPlaceAndForAMirrorImage) {
  EXPECT_EQ(lddt(helix(), moved(helix())), 1);
  EXPECT_EQ(lddt(helix(), mirrored(helix())), 1);
}

// Distances 3, 3 and 6 become 3, 4.5 and 7.5: changes of 0, 1.5 and 1.5, so 4, 2 and 2 of 4 thresholds are kept.
TEST(Lddt, CountsDistancesThatAreKept) {
  EXPECT_DOUBLE_EQ(lddt({{0, 0, 0}, {3, 0, 0}, {6, 0, 0}}, {{0, 0, 0}, {3, 0, 0}, {7.5, 0, 0}}), 8.0 / 12);
}

TEST(Lddt, LooksOnlyAtWhatIsNearInTheReference) {
  EXPECT_TRUE(std::isnan(lddt({{0, 0, 0}, {20, 0, 0}}, {{0, 0, 0}, {5, 0, 0}})));
  EXPECT_EQ(lddt({{0, 0, 0}, {5, 0, 0}}, {{0, 0, 0}, {20, 0, 0}}), 0);
  EXPECT_TRUE(std::isnan(superposed_rmsd({}, {})));
}

}  // namespace
}  // namespace pleat
