#include "ops/rigid/rigid.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "compare.h"
#include "rigid_motion.h"

namespace pleat {
namespace {

double largest(const at::Tensor& x) { return x.abs().max().item<double>(); }

TEST(Rigid, StaysARotationOverManyUpdates) {
  at::manual_seed(1);
  Rigid rigid = Rigid::identity(6);
  for (int i = 0; i < 200; ++i) rigid = rigid.composed_with(at::randn({6, 6}));
  const at::Tensor products = at::matmul(rigid.rotations, rigid.rotations.transpose(1, 2));
  EXPECT_LT(largest(products - at::eye(3)), 2e-6);
  EXPECT_LT(largest(at::linalg_det(rigid.rotations) - 1), 2e-6);
  EXPECT_LT(largest(at::linalg_vector_norm(rigid.quaternions, 2, -1) - 1), 2e-7);
}

TEST(Rigid, AnUpdateIsAMotionInTheFrameItself) {
  at::manual_seed(2);
  const Rigid before = random_rigid(9);
  const at::Tensor update = at::randn({9, 6});
  const Rigid step = Rigid::from_quaternions(at::cat({at::ones({9, 1}), update.slice(1, 0, 3)}, 1), update.slice(1, 3));
  const Rigid after = before.composed_with(update);
  const at::Tensor points = at::randn({9, 3, 5});
  EXPECT_LT(largest(after.apply(points) - before.apply(step.apply(points))), 2e-5);
  EXPECT_TRUE(at::allclose(before.composed_with(at::zeros({9, 6})).to_tensor_7(), before.to_tensor_7(), 0, 1e-6));
}

TEST(Rigid, QuaternionsTurnAsTheirAxisAndAngleSay) {
  // A third of a turn about (1, 1, 1) sends x to y, y to z and z to x.
  const Rigid third = Rigid::from_quaternions(at::full({1, 4}, 7.0F), at::zeros({1, 3}));
  EXPECT_TRUE(at::allclose(third.apply(at::eye(3).unsqueeze(0)).squeeze(0), at::eye(3).roll({1}, {0}), 0, 1e-6));
}

TEST(Rigid, InverseUndoesIt) {
  at::manual_seed(3);
  const Rigid rigid = random_rigid(7);
  const at::Tensor points = at::randn({7, 3, 4}) * 10;
  EXPECT_LT(largest(rigid.invert_apply(rigid.apply(points)) - points), 3e-5);
  EXPECT_LT(largest(rigid.apply(rigid.invert_apply(points)) - points), 3e-5);
}

}  // namespace
}  // namespace pleat
