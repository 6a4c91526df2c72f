#include <gtest/gtest.h>

#include "emulator/faults.h"
#include "emulator/pair_case.h"
#include "ops/pair_bias/kernels.h"

namespace pleat::emulator {
namespace {

namespace kernels = cuda::pair_bias;

struct Weights {
  Random random;
  int heads;
  Norm norm{random};
  Linear bias{random, static_cast<std::size_t>(heads), C};
  Buffer<cuda::bf16> d_bias{packed(bias, {.spread_columns = true})};

  Weights(std::uint64_t seed, int h) : random(seed), heads(h) {}
  kernels::Weights pointers() { return {norm.pointers(), d_bias.data(), heads}; }
};

class PairBiasKernel : public testing::TestWithParam<int> {};

TEST_P(PairBiasKernel, GivesWhatTheFormulaSays) {
  for (const int heads : {4, 32}) {
    Weights weights(41, heads);
    PairCase pairs(weights.random, GetParam());
    pairs.z = pairs.before;
    const std::size_t n = pairs.n;
    const auto stride = static_cast<std::size_t>(kernels::stride_of(pairs.length));
    Buffer<float> out(static_cast<std::size_t>(heads) * n * stride);
    std::vector<float> result;
    for (const cuda::Gpu& gpu : {h100, a10}) {
      const WithOptions options({.late_copies = gpu.capability == 90});
      out.clear();
      ASSERT_EQ(kernels::bias(pairs.z.data(), weights.pointers(), out.data(), pairs.length, gpu, nullptr), cudaSuccess);
      if (result.empty()) result = out.values();
      EXPECT_EQ(out.values(), result);
      EXPECT_EQ(Machine::get().seen.conflicts, 0);
    }
    EXPECT_TRUE(out.is_intact());
    EXPECT_EQ(pairs.z.values(), pairs.before);
    Difference difference;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        const std::vector<double> expected = weights.bias.times(weights.norm(pairs.pair(i, j)).data());
        for (std::size_t h = 0; h < expected.size(); ++h) {
          difference.add(double{result[(h * n + i) * stride + j]}, expected[h]);
        }
      }
    }
    EXPECT_LT(difference.rms(), 1e-2);
    EXPECT_LT(difference.largest(), 5e-2);
    for (std::size_t row = 0; row < result.size() / stride; ++row) {
      for (std::size_t j = n; j < stride; ++j) EXPECT_EQ(result[row * stride + j], 0);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Lengths, PairBiasKernel, testing::ValuesIn(lengths), name_of);

TEST(PairBiasKernelAlone, EachWaitIsNeeded) {
  Weights weights(3, 32);
  PairCase pairs(weights.random, 15);
  pairs.z = pairs.before;
  Buffer<float> out(32 * 15 * 16);
  expect_each_wait_is_needed(
      [&] {
        out.clear();
        EXPECT_EQ(kernels::bias(pairs.z.data(), weights.pointers(), out.data(), 15, one_processor, nullptr),
                  cudaSuccess);
        return out.values();
      },
      1);
}

}  // namespace
}  // namespace pleat::emulator
