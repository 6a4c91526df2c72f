// Rigid motions of residues, from torsion angles to atoms, and the distances that recycling looks at. Algorithm
// numbers are those of Jumper et al. 2021, supplement. Everything is float32; P positions.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace pleat {

// For each position, the motion x -> R x + t from its own frame to the global one.
struct Rigid {
  at::Tensor rotations;     // [P, 3, 3]
  at::Tensor quaternions;   // [P, 4], the same rotations: (a, b, c, d) = a + bi + cj + dk, of length 1
  at::Tensor translations;  // [P, 3]

  [[nodiscard]] static Rigid identity(std::int64_t positions, at::Device device = at::kCPU);
  // quaternions [P, 4] of any length but 0.
  [[nodiscard]] static Rigid from_quaternions(const at::Tensor& quaternions, const at::Tensor& translations);

  // Algorithm 23: moves each frame by an update given in the frame itself: the rotation of the quaternion (1, b, c, d),
  // not of length 1, and a translation. update [P, 6]: b, c, d, x, y, z.
  [[nodiscard]] Rigid composed_with(const at::Tensor& update) const;

  // points [P, 3, N], coordinates before points -> [P, 3, N]
  [[nodiscard]] at::Tensor apply(const at::Tensor& points) const;
  [[nodiscard]] at::Tensor invert_apply(const at::Tensor& points) const;

  [[nodiscard]] Rigid scaled(double factor) const;  // translations times `factor`
  [[nodiscard]] at::Tensor to_tensor_7() const;     // [P, 7], quaternion and translation
};

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
