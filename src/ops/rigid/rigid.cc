#include "ops/rigid/rigid.h"

#include <ATen/ATen.h>

#include <vector>

#include "ops/device_ops.h"

namespace pleat {
namespace {

// The rotation of a quaternion of length 1. quaternions [P, 4] -> [P, 3, 3]
at::Tensor rotations_of(const at::Tensor& quaternions) {
  const std::vector<at::Tensor> q = quaternions.unbind(-1);  // 4 x [P]
  const at::Tensor aa = q[0] * q[0];
  const at::Tensor bb = q[1] * q[1];
  const at::Tensor cc = q[2] * q[2];
  const at::Tensor dd = q[3] * q[3];
  const at::Tensor ab = 2 * q[0] * q[1];
  const at::Tensor ac = 2 * q[0] * q[2];
  const at::Tensor ad = 2 * q[0] * q[3];
  const at::Tensor bc = 2 * q[1] * q[2];
  const at::Tensor bd = 2 * q[1] * q[3];
  const at::Tensor cd = 2 * q[2] * q[3];
  return at::stack({aa + bb - cc - dd, bc - ad, bd + ac,  //
                    bc + ad, aa - bb + cc - dd, cd - ab,  //
                    bd - ac, cd + ab, aa - bb - cc + dd},
                   -1)
      .view({-1, 3, 3});
}

}  // namespace

Rigid Rigid::identity(std::int64_t positions, at::Device device) {
  const at::Tensor unit = at::tensor({1.0F, 0.0F, 0.0F, 0.0F}).to(device);  // [4]
  return {.rotations = at::eye(3).to(device).expand({positions, 3, 3}),
          .quaternions = unit.expand({positions, 4}),
          .translations = at::zeros({positions, 3}, unit.options())};
}

Rigid Rigid::from_quaternions(const at::Tensor& quaternions, const at::Tensor& translations) {
  const at::Tensor unit = quaternions / at::linalg_vector_norm(quaternions, 2, -1, true);  // [P, 4]
  return {.rotations = rotations_of(unit), .quaternions = unit, .translations = translations};
}

Rigid Rigid::composed_with(const at::Tensor& update) const {
  if (const auto own = device_ops(update).compose_rigid; own != nullptr) {
    if (Rigid moved = own(*this, update); moved.rotations.defined()) return moved;
  }
  const std::vector<at::Tensor> q = quaternions.unbind(-1);                       // 4 x [P]
  const std::vector<at::Tensor> u = update.slice(1, 0, 3).unbind(-1);             // 3 x [P]
  const at::Tensor change = at::stack({-q[1] * u[0] - q[2] * u[1] - q[3] * u[2],  // [P, 4], q times (0, b, c, d)
                                       q[0] * u[0] + q[2] * u[2] - q[3] * u[1], q[0] * u[1] - q[1] * u[2] + q[3] * u[0],
                                       q[0] * u[2] + q[1] * u[1] - q[2] * u[0]},
                                      -1);
  const at::Tensor moved = apply(update.slice(1, 3, 6).unsqueeze(-1)).squeeze(-1);  // [P, 3]
  return from_quaternions(quaternions + change, moved);
}

at::Tensor Rigid::apply(const at::Tensor& points) const {
  return at::matmul(rotations, points).add_(translations.unsqueeze(-1));  // [P, 3, N]
}

at::Tensor Rigid::invert_apply(const at::Tensor& points) const {
  return at::matmul(rotations.transpose(1, 2), points - translations.unsqueeze(-1));  // [P, 3, N]
}

Rigid Rigid::scaled(double factor) const {
  return {.rotations = rotations, .quaternions = quaternions, .translations = translations * factor};
}

at::Tensor Rigid::to_tensor_7() const { return at::cat({quaternions, translations}, -1); }

}  // namespace pleat
