// Frames of residues: rigid motions, and the update that each block of the structure module gives them. Algorithm
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

}  // namespace pleat
