// Invariant point attention between its projections, against the plain formula.
#include "ops/point_attention/point_attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "compare.h"
#include "rigid_motion.h"

namespace pleat {
namespace {

struct Shape {
  std::int64_t length;
  std::int64_t heads;
  std::int64_t width;
  std::int64_t query_points;
  std::int64_t value_points;
  std::int64_t channels;
};

constexpr Shape shapes[] = {{1, 1, 8, 1, 1, 8},     {2, 3, 16, 4, 8, 24},    {7, 1, 5, 3, 2, 1},
                            {15, 4, 16, 4, 8, 128}, {16, 12, 16, 4, 8, 128}, {17, 2, 7, 2, 3, 11},
                            {31, 3, 16, 1, 4, 16},  {32, 1, 32, 4, 8, 32},   {33, 12, 16, 4, 8, 128},
                            {65, 4, 8, 5, 1, 40},   {130, 2, 16, 4, 8, 16}};

PointAttentionInput random_input(const Shape& shape, std::uint64_t seed) {
  at::manual_seed(seed);
  const auto points = [&](std::int64_t count) {  // [P, 3, H, count]: whole eighths
    return at::randint(-16, 16, {shape.length, 3, shape.heads, count}, at::kFloat) / 8;
  };
  const auto scalars = [&] { return at::randn({shape.length, shape.heads, shape.width}); };
  return {.q = scalars(),
          .k = scalars(),
          .v = scalars(),
          .q_points = points(shape.query_points),
          .k_points = points(shape.query_points),
          .v_points = points(shape.value_points),
          .pair = at::randn({shape.length, shape.length, shape.channels}),
          .bias = at::randn({shape.heads, shape.length, shape.length}),
          .point_weight = at::rand({shape.heads}) * 0.1,
          .scale = 0.3};
}

TEST(PointAttention, EqualsTheReferenceForEveryShape) {
  for (const Shape& shape : shapes) {
    SCOPED_TRACE(testing::Message() << "P " << shape.length << " H " << shape.heads << " C " << shape.channels);
    const PointAttentionInput input = random_input(shape, 7);
    const PointAttentionOutput actual = point_attention(input);
    const PointAttentionOutput expected = point_attention_reference(input);
    EXPECT_EQ(actual.values.sizes(), expected.values.sizes());
    EXPECT_EQ(actual.points.sizes(), expected.points.sizes());
    EXPECT_EQ(actual.pairs.sizes(), expected.pairs.sizes());
    EXPECT_LT(relative_error(actual.values, expected.values), 2e-6);
    EXPECT_LT(relative_error(actual.points, expected.points), 2e-6);
    EXPECT_LT(relative_error(actual.pairs, expected.pairs), 2e-6);
  }
}

TEST(PointAttention, TakesOperandsOfAnyStrides) {
  PointAttentionInput input = random_input({33, 3, 8, 2, 3, 16}, 8);
  const PointAttentionOutput expected = point_attention(input);
  for (at::Tensor* operand : {&input.q, &input.k, &input.v}) {
    *operand = operand->permute({2, 1, 0}).contiguous().permute({2, 1, 0});
  }
  for (at::Tensor* operand : {&input.q_points, &input.k_points, &input.v_points}) {
    *operand = operand->permute({3, 1, 0, 2}).contiguous().permute({2, 1, 3, 0});
  }
  input.point_weight = at::stack({input.point_weight, input.point_weight}, 1).select(1, 0);
  const PointAttentionOutput actual = point_attention(input);
  EXPECT_TRUE(at::equal(actual.values, expected.values));
  EXPECT_TRUE(at::equal(actual.points, expected.points));
  EXPECT_TRUE(at::equal(actual.pairs, expected.pairs));
}

// Points in whole eighths stay exact when they are moved, and so must every distance: |q|^2 + |k|^2 - 2 q k would not.
TEST(PointAttention, LosesNoDigitsFarFromTheOrigin) {
  PointAttentionInput input = random_input({40, 4, 8, 4, 8, 16}, 9);
  input.point_weight.fill_(4);
  const PointAttentionOutput near = point_attention(input);
  for (at::Tensor* points : {&input.q_points, &input.k_points}) *points = *points + 4096;
  const PointAttentionOutput far = point_attention(input);
  EXPECT_TRUE(at::equal(near.values, far.values));
  EXPECT_TRUE(at::equal(near.points, far.points));
  EXPECT_TRUE(at::equal(near.pairs, far.pairs));
}

TEST(PointAttention, AttendsToThePointWhereTheQueryLies) {
  PointAttentionInput input = random_input({24, 2, 4, 1, 2, 8}, 10);
  input.point_weight.fill_(1e4);
  for (std::int64_t i = 0; i < 24; ++i) input.k_points[i].fill_(static_cast<float>(i));
  input.q_points = input.k_points.flip({0});  // the query of i lies at the key of 23 - i, and nowhere else
  const PointAttentionOutput mixed = point_attention(input);
  EXPECT_TRUE(at::equal(mixed.values, input.v.flip({0})));
  EXPECT_TRUE(at::equal(mixed.points, input.v_points.flip({0})));
  for (std::int64_t i = 0; i < 24; ++i) {
    EXPECT_TRUE(at::equal(mixed.pairs[i], input.pair[i][23 - i].expand({2, 8})));
  }
}

// Each part of what is projected, in its place, as the plain formula wants it, and its results in theirs.
TEST(InvariantPointAttention, TakesAndGivesItsPartsSideBySide) {
  constexpr std::int64_t P = 19, H = 3, c = 8, Nq = 2, Nv = 4, C = 16;
  at::manual_seed(11);
  const Rigid frames = random_rigid(P);
  const auto queries = at::randn({P, H, c});
  const auto keys_values = at::randn({P, H, 2 * c});
  const auto query_points = at::randn({P, 3, H, Nq});
  const auto other_points = at::randn({P, 3, H, Nq + Nv});
  const at::Tensor projected =
      at::cat({queries.flatten(1), keys_values.flatten(1), query_points.flatten(1), other_points.flatten(1)}, 1);
  const at::Tensor pair = at::randn({P, P, C});
  const at::Tensor bias = at::randn({H, P, P});
  const at::Tensor weight = at::rand({H}) * 0.1;
  const auto moved = [&](const at::Tensor& points) {
    return frames.apply(points.reshape({P, 3, -1})).view(points.sizes());
  };
  const PointAttentionOutput mixed = point_attention_reference({.q = queries,
                                                                .k = keys_values.slice(2, 0, c),
                                                                .v = keys_values.slice(2, c),
                                                                .q_points = moved(query_points),
                                                                .k_points = moved(other_points).slice(3, 0, Nq),
                                                                .v_points = moved(other_points).slice(3, Nq),
                                                                .pair = pair,
                                                                .bias = bias,
                                                                .point_weight = weight,
                                                                .scale = 1 / std::sqrt(3.0 * c)});
  const at::Tensor actual = invariant_point_attention({{H, c, Nq, Nv}, projected, frames, pair, bias, weight, 1e-8});
  const std::vector<at::Tensor> parts = actual.split_with_sizes({H * c, 3 * H * Nv, H * Nv, H * C}, 1);
  EXPECT_LT(relative_error(parts[0], mixed.values.flatten(1)), 2e-6);
  EXPECT_LT(relative_error(moved(parts[1].reshape({P, 3, H, Nv})), mixed.points), 5e-6);
  const at::Tensor lengths = at::linalg_vector_norm(parts[1].view({P, 3, H * Nv}), 2, 1);
  EXPECT_LT(relative_error(parts[2], lengths), 2e-6);
  EXPECT_LT(relative_error(parts[3], mixed.pairs.flatten(1)), 2e-6);
}

}  // namespace
}  // namespace pleat
