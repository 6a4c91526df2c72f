#include <gtest/gtest.h>

#include "emulator/faults.h"
#include "emulator/pair_case.h"
#include "ops/sequence_to_pair/kernels.h"

namespace pleat::emulator {
namespace {

namespace kernels = cuda::sequence_to_pair;

struct Weights {
  Random random;
  int width;
  Linear out{random, C, 2 * static_cast<std::size_t>(width)};
  Buffer<cuda::bf16> d_out{packed(out, {.spread_rows = true, .spread_columns = true})};

  Weights(std::uint64_t seed, int k) : random(seed), width(k) {}
  kernels::Weights pointers() { return {d_out.data(), out.d_bias.data(), width}; }
};

class SequenceToPairKernel : public testing::TestWithParam<int> {};

TEST_P(SequenceToPairKernel, AddsWhatTheFormulaSays) {
  for (const int width : {64, 128}) {
    Weights weights(31, width);
    PairCase pairs(weights.random, GetParam());
    const auto k = static_cast<std::size_t>(width);
    Buffer<float> qk(weights.random.vector(pairs.n * 2 * k, 0, 1));
    const std::vector<float> values = qk.values();
    pairs.expect_added(
        [&](const cuda::Gpu& gpu) {
          return kernels::add(qk.data(), pairs.z.data(), weights.pointers(), pairs.length, gpu, nullptr);
        },
        [&](std::size_t i, std::size_t j) {
          std::vector<double> x(2 * k);
          for (std::size_t c = 0; c < k; ++c) {
            const double query = double{values[j * 2 * k + c]};
            const double key = double{values[i * 2 * k + k + c]};
            x[c] = query * key;
            x[k + c] = query - key;
          }
          return weights.out(x);
        });
  }
}

INSTANTIATE_TEST_SUITE_P(Lengths, SequenceToPairKernel, testing::ValuesIn(lengths), name_of);

TEST(SequenceToPairKernelAlone, EachWaitIsNeeded) {
  Weights weights(3, 64);
  PairCase pairs(weights.random, 15);
  Buffer<float> qk(weights.random.vector(15 * 128, 0, 1));
  expect_each_wait_is_needed(
      [&] {
        return pairs.after(
            [&] { return kernels::add(qk.data(), pairs.z.data(), weights.pointers(), 15, one_processor, nullptr); });
      },
      1);
}

}  // namespace
}  // namespace pleat::emulator
