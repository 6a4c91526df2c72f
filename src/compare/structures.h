// How far a predicted structure is from another of the same sequence.
#pragma once

#include <array>
#include <vector>

namespace pleat {

using Point = std::array<float, 3>;  // ångström

// Root mean square distance of the points of `b` to those of `a`, as many, after the best superposition (Theobald 2005,
// doi:10.1107/S0108767305015266), ångström. NaN without points.
[[nodiscard]] double superposed_rmsd(const std::vector<Point>& a, const std::vector<Point>& b);

// lDDT (Mariani et al. 2013, doi:10.1093/bioinformatics/btt473) of `b` to the reference `a`, one point a residue,
// without checks of stereochemistry: of all pairs less than 15 ångström apart in `a`, the share whose distance in `b`
// differs by less than .5, 1, 2 and 4 ångström, the mean of these four; 0 to 1. NaN where there is no such pair.
[[nodiscard]] double lddt(const std::vector<Point>& a, const std::vector<Point>& b);

}  // namespace pleat
