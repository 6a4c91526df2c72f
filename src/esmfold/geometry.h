// From torsion angles to atoms, and the distances that recycling looks at. Algorithm numbers are those of Jumper et al.
// 2021, supplement. Everything is float32; P positions.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "ops/rigid/rigid.h"

namespace pleat {

// Algorithm 24, its first half: the frame of each rigid group from the backbone's frame and the torsion angles.
// angles [P, 7, 2], sine and cosine of omega, phi, psi, chi 1 to 4; aatype [P] int64 -> [P, 8, 4, 4] homogeneous.
// Groups that a residue lacks have a rotation of zeros.
[[nodiscard]] at::Tensor torsion_angles_to_frames(const Rigid& backbone, const at::Tensor& angles,
                                                  const at::Tensor& aatype);

// Algorithm 24, its second half: each atom from its literature position and its group's frame [P, 8, 4, 4].
// -> [P, 14, 3], zero where there is no atom.
[[nodiscard]] at::Tensor frames_to_atom14(const at::Tensor& frames, const at::Tensor& aatype);

// N, CA and C, which need no torsion angle: the first three atoms of frames_to_atom14. -> [P, 3, 3]
[[nodiscard]] at::Tensor backbone_atoms(const Rigid& backbone, const at::Tensor& aatype);

// backbone [P, 3, 3], N, CA and C -> [P, 3]: C-beta where an ideal residue has it, glycine too.
[[nodiscard]] at::Tensor beta_positions(const at::Tensor& backbone);

// points [P, 3] -> [P, P]: squared distances from direct differences, so that near points lose no digits.
[[nodiscard]] at::Tensor squared_distances(const at::Tensor& points);

// The distogram that recycling embeds: 15 bins with 14 bounds from 3.375 to 21.375 ångström.
inline constexpr std::int64_t recycle_bin_count = 15;
// squared [P, P], in square ångström -> [P, P] int64: how many bounds each distance exceeds.
[[nodiscard]] at::Tensor recycle_bins(const at::Tensor& squared);

}  // namespace pleat
