// Rigid motions of everything at once, under which a structure stays the same.
#pragma once

#include <ATen/ATen.h>

#include "ops/rigid/rigid.h"

namespace pleat {

// Frames that lie anywhere within some ångström, turned any way.
inline Rigid random_rigid(std::int64_t positions, double spread = 5) {
  return Rigid::from_quaternions(at::randn({positions, 4}), at::randn({positions, 3}) * spread);
}

class RigidMotion {
 public:
  explicit RigidMotion(double spread = 5) : motion_(random_rigid(1, spread)) {}

  // points [..., 3]
  [[nodiscard]] at::Tensor operator()(const at::Tensor& points) const {
    return at::matmul(points, motion_.rotations[0].t()) + motion_.translations[0];
  }
  [[nodiscard]] Rigid operator()(const Rigid& frames) const {
    // The product of the two quaternions, by its definition.
    const at::Tensor a = motion_.quaternions[0][0];
    const at::Tensor u = motion_.quaternions[0].slice(0, 1).expand_as(frames.translations);
    const at::Tensor b = frames.quaternions.slice(1, 0, 1);
    const at::Tensor v = frames.quaternions.slice(1, 1);
    const at::Tensor scalar = a * b - (u * v).sum(1, true);
    const at::Tensor vector = a * v + b * u + at::linalg_cross(u, v);
    return Rigid::from_quaternions(at::cat({scalar, vector}, 1), (*this)(frames.translations));
  }

 private:
  Rigid motion_;
};

}  // namespace pleat
