#include "compare/structures.h"

#include <cmath>
#include <cstddef>
#include <gemmi/qcp.hpp>
#include <limits>

namespace pleat {
namespace {

constexpr double inclusion_radius = 15;                    // ångström
constexpr std::array<double, 4> thresholds{0.5, 1, 2, 4};  // ångström
constexpr double no_pairs = std::numeric_limits<double>::quiet_NaN();

double distance(const Point& a, const Point& b) {
  return std::hypot(double{a[0]} - b[0], double{a[1]} - b[1], double{a[2]} - b[2]);
}

std::vector<gemmi::Position> positions_of(const std::vector<Point>& points) {
  std::vector<gemmi::Position> positions;
  positions.reserve(points.size());
  for (const Point& point : points) positions.emplace_back(point[0], point[1], point[2]);
  return positions;
}

}  // namespace

double superposed_rmsd(const std::vector<Point>& a, const std::vector<Point>& b) {
  if (a.empty()) return no_pairs;
  const std::vector<gemmi::Position> fixed = positions_of(a);
  const std::vector<gemmi::Position> movable = positions_of(b);
  return gemmi::superpose_positions(fixed.data(), movable.data(), fixed.size(), nullptr).rmsd;
}

double lddt(const std::vector<Point>& a, const std::vector<Point>& b) {
  std::size_t pairs = 0;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = i + 1; j < a.size(); ++j) {
      const double there = distance(a[i], a[j]);
      if (there >= inclusion_radius) continue;
      ++pairs;
      const double change = std::abs(distance(b[i], b[j]) - there);
      for (const double threshold : thresholds) kept += change < threshold ? 1 : 0;
    }
  }
  return pairs == 0 ? no_pairs : static_cast<double>(kept) / static_cast<double>(thresholds.size() * pairs);
}

}  // namespace pleat
