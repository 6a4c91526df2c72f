#include "plan/cost.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <tuple>

namespace pleat {
namespace {

constexpr ModelShape small{320, 6, 20, 1280};    // esm2_t6_8M_UR50D
constexpr ModelShape large{1280, 33, 20, 5120};  // esm2_t33_650M_UR50D
constexpr ModelShape huge{5120, 48, 40, 20480};  // esm2_t48_15B_UR50D

TEST(ForwardFlops, IsTheWrittenFormula) {
  // 6 layers of 4 D^2 + 2 D F = 1,228,800 multiply-adds a token, and of 4 t^2 D.
  EXPECT_DOUBLE_EQ(forward_flops(small, 100), 6 * (2.0 * 1'228'800 * 100 + 4.0 * 100 * 100 * 320));
  EXPECT_EQ(forward_flops(small, 0), 0);
}

TEST(ForwardFlops, HasALinearAndAQuadraticPart) {
  const double one = forward_flops(large, 500);
  const double two = forward_flops(large, 1000);
  const double four = forward_flops(large, 2000);
  const double quadratic = (four - 2 * two) / 2;  // q(2t) - 2 q(t) = 2 q(t), for the part that grows with t^2
  EXPECT_DOUBLE_EQ(quadratic, 33 * 4.0 * 1000 * 1000 * 1280);
  EXPECT_DOUBLE_EQ((two - quadratic) / 2, one - quadratic / 4);
}

TEST(ForwardFlops, OneLongSequenceCostsMoreThanItsHalves) {
  EXPECT_GT(forward_flops(small, 2000), 2 * forward_flops(small, 1000));
  // A published model's parameters, twice, are what a token of a short sequence costs.
  EXPECT_NEAR(forward_flops(large, 1) / (2 * 650e6), 1, 0.03);
}

TEST(WeightBytes, AreThoseOfThePublishedModels) {
  EXPECT_NEAR(weight_bytes(large, 4) / 2.6e9, 1, 0.02);
  EXPECT_NEAR(weight_bytes(huge, 2) / 30e9, 1, 0.02);
}

struct Case {
  ModelShape shape;
  KeptOutputs kept;
  std::int64_t threads;
};

class ActivationBytes : public testing::TestWithParam<std::tuple<ModelShape, KeptOutputs, std::int64_t>> {
 protected:
  [[nodiscard]] static Case tested() {
    return {std::get<0>(GetParam()), std::get<1>(GetParam()), std::get<2>(GetParam())};
  }
};

TEST_P(ActivationBytes, GrowsWithEverything) {
  const auto [shape, kept, threads] = tested();
  double previous = 0;
  for (const std::int64_t tokens : {3, 100, 1000, 1001, 50'000}) {
    const double bytes = activation_bytes(shape, kept, tokens, tokens, threads);
    EXPECT_GT(bytes, previous);
    previous = bytes;
    EXPECT_GT(activation_bytes(shape, kept, 2 * tokens, tokens, threads), bytes);
    EXPECT_GT(activation_bytes(shape, kept, tokens, tokens, threads + 1), bytes);
    KeptOutputs more = kept;
    more.hidden_layers += 1;
    EXPECT_GT(activation_bytes(shape, more, tokens, tokens, threads), bytes);
  }
}

TEST_P(ActivationBytes, LongestThatFitsIsTheInverse) {
  const auto [shape, kept, threads] = tested();
  for (const double bytes : {1e6, 1e8, 1e9, 16e9, 1e12}) {
    const std::int64_t longest = longest_that_fits(shape, kept, bytes, threads);
    EXPECT_LE(longest == 0 ? 0 : activation_bytes(shape, kept, longest, longest, threads), bytes);
    EXPECT_GT(activation_bytes(shape, kept, longest + 1, longest + 1, threads), bytes);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, ActivationBytes,
                         testing::Combine(testing::Values(small, large, huge),
                                          testing::Values(KeptOutputs{1, false, false}, KeptOutputs{0, true, false},
                                                          KeptOutputs{0, false, true}, KeptOutputs{34, true, true}),
                                          testing::Values(1, 2, 64)));

TEST(ActivationBytesOfContacts, GrowWithTheSquare) {
  const KeptOutputs contacts{0, false, true};
  const double one = activation_bytes(small, contacts, 20'000, 20'000, 1);
  EXPECT_GT(activation_bytes(small, contacts, 40'000, 40'000, 1), 3.5 * one);
  // Four float32 maps at least: what a 100,000-residue sequence would take cannot be overlooked.
  EXPECT_GT(activation_bytes(small, contacts, 100'002, 100'002, 1), 4.0 * 4 * 1e10);
}

TEST(ActivationBytesOfAttentions, AreThoseOfAllHeadsOfTheLayers) {
  const auto bytes = [](std::int64_t layers, std::int64_t tokens) {
    return activation_bytes(large, {.attention_layers = layers}, tokens, tokens, 1);
  };
  const double maps = 4.0 * 20 * 1000 * 1000;  // of a layer, float32
  EXPECT_GT(bytes(1, 1000) - bytes(0, 1000), 3 * maps);
  EXPECT_NEAR(bytes(4, 1000) - bytes(3, 1000), 5 * maps, 1);
  EXPECT_GT(bytes(1, 20'000), 3.5 * bytes(1, 10'000));
}

TEST(LongestThatFits, NothingFitsInNothing) {
  EXPECT_EQ(longest_that_fits(large, {1, false, false}, 0, 1), 0);
  EXPECT_EQ(longest_that_fits(large, {1, false, false}, -1, 1), 0);
}

TEST(LongestThatFits, UnlimitedMemoryHasALimitOfItsOwn) {
  EXPECT_GE(longest_that_fits(small, {1, false, false}, 1e300, 1), 100'000'000);
}

}  // namespace
}  // namespace pleat
