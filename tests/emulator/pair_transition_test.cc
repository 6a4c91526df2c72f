#include <gtest/gtest.h>

#include "emulator/faults.h"
#include "emulator/pair_case.h"
#include "ops/pair_transition/kernels.h"

namespace pleat::emulator {
namespace {

namespace kernels = cuda::pair_transition;

struct Weights {
  Random random;
  Norm norm{random};
  Linear in{random, kernels::hidden_channels, C};
  Linear out{random, C, kernels::hidden_channels};
  Buffer<cuda::bf16> d_in{packed(in, {.spread_columns = true})};
  Buffer<cuda::bf16> d_out{packed(out, {.spread_rows = true, .slice = 64})};

  explicit Weights(std::uint64_t seed) : random(seed) {}
  kernels::Weights pointers() {
    return {norm.pointers(), d_in.data(), in.d_bias.data(), d_out.data(), out.d_bias.data()};
  }
  [[nodiscard]] std::vector<double> added(const float* pair) const {
    std::vector<double> hidden = in(norm(pair));
    for (double& x : hidden) x = std::max(x, 0.0);
    return out(hidden);
  }
};

class PairTransitionKernel : public testing::TestWithParam<int> {};

TEST_P(PairTransitionKernel, AddsWhatTheFormulaSays) {
  Weights weights(21);
  PairCase pairs(weights.random, GetParam());
  pairs.expect_added(
      [&](const cuda::Gpu& gpu) {
        return kernels::transition(pairs.z.data(), weights.pointers(), pairs.length * pairs.length, gpu, nullptr);
      },
      [&](std::size_t i, std::size_t j) { return weights.added(pairs.pair(i, j)); });
}

class PairTransitionByWgmma : public PairTransitionKernel {};

TEST_P(PairTransitionByWgmma, AddsWhatTheFormulaSays) {
  Weights weights(22);
  PairCase pairs(weights.random, GetParam());
  pairs.expect_added(
      [&](const cuda::Gpu& gpu) {
        return kernels::transition_wgmma(pairs.z.data(), weights.pointers(), pairs.length * pairs.length, gpu, nullptr);
      },
      [&](std::size_t i, std::size_t j) { return weights.added(pairs.pair(i, j)); });
}

INSTANTIATE_TEST_SUITE_P(Lengths, PairTransitionKernel, testing::ValuesIn(lengths), name_of);
INSTANTIATE_TEST_SUITE_P(Lengths, PairTransitionByWgmma, testing::ValuesIn(lengths), name_of);

TEST(PairTransitionKernelAlone, EachWaitIsNeeded) {
  Weights weights(3);
  PairCase pairs(weights.random, 15);
  expect_each_wait_is_needed(
      [&] {
        return pairs.after(
            [&] { return kernels::transition(pairs.z.data(), weights.pointers(), 15 * 15, one_processor, nullptr); });
      },
      1);
}

TEST(PairTransitionKernelAlone, EachWaitOfWgmmasIsNeeded) {
  Weights weights(3);
  PairCase pairs(weights.random, 15);
  expect_each_wait_is_needed(
      [&] {
        return pairs.after([&] {
          return kernels::transition_wgmma(pairs.z.data(), weights.pointers(), 15 * 15, one_processor, nullptr);
        });
      },
      1);
}

}  // namespace
}  // namespace pleat::emulator
