#include <gtest/gtest.h>

#include "emulator/faults.h"
#include "emulator/pair_case.h"
#include "ops/triangle_multiplication/kernels.h"

namespace pleat::emulator {
namespace {

namespace kernels = cuda::triangle_multiplication;
using Bits = std::vector<cuda::bf16>;
using std::size_t;

struct Weights {
  Random random;
  Norm norm_in{random}, norm_out{random};
  Linear a{random, C, C}, a_gate{random, C, C}, b{random, C, C}, b_gate{random, C, C};
  Linear out{random, C, C}, gate{random, C, C};
  Buffer<cuda::bf16> d_projections{joined({&a, &a_gate, &b, &b_gate}, {.spread_columns = true})};
  Buffer<float> d_projection_biases{joined_biases({&a, &a_gate, &b, &b_gate})};
  Buffer<cuda::bf16> d_outputs{joined({&out, &gate}, {.spread_rows = true, .spread_columns = true})};
  Buffer<float> d_output_biases{joined_biases({&out, &gate})};

  explicit Weights(std::uint64_t seed) : random(seed) {}
  kernels::Weights pointers() {
    return {norm_in.pointers(),         norm_out.pointers(), d_projections.data(),
            d_projection_biases.data(), d_outputs.data(),    d_output_biases.data()};
  }
  static Bits joined(const std::vector<const Linear*>& parts, const cuda::Packing& packing) {
    Bits bits;
    for (const Linear* part : parts) append(bits, packed(*part, packing));
    return bits;
  }
  static std::vector<float> joined_biases(const std::vector<const Linear*>& parts) {
    std::vector<float> biases;
    for (const Linear* part : parts) append(biases, part->bias);
    return biases;
  }
};

class TriangleMultiplicationKernels : public testing::TestWithParam<int> {};

TEST_P(TriangleMultiplicationKernels, ProjectWhatTheFormulaSays) {
  Weights weights(51);
  PairCase pairs(weights.random, GetParam());
  pairs.z = pairs.before;
  const size_t n = pairs.n;
  const auto stride = static_cast<size_t>(kernels::stride_of(pairs.length));
  const size_t plane = stride * stride;
  Buffer<cuda::bf16> ab(2 * C * plane);
  Bits result;
  for (const cuda::Gpu& gpu : {h100, a10, rtx50}) {  // the others in two halves, the last with fewer threads
    if (pairs.length > long_enough && gpu.capability != 90) continue;
    const WithOptions options({.late_copies = gpu.capability == 90});
    ab.clear();
    ASSERT_EQ(kernels::project(pairs.z.data(), weights.pointers(), ab.data(), pairs.length, gpu, nullptr), cudaSuccess);
    if (result.empty()) result = ab.values();
    EXPECT_EQ(ab.values(), result);
    EXPECT_EQ(Machine::get().seen.conflicts, 0);
  }
  EXPECT_TRUE(ab.is_intact());
  EXPECT_EQ(pairs.z.values(), pairs.before);

  Difference difference;
  for (const int row : some_of(pairs.length, 7)) {
    const auto i = static_cast<size_t>(row);
    for (size_t j = 0; j < n; ++j) {
      const std::vector<double> y = weights.norm_in(pairs.pair(i, j));
      const std::vector<double> values[] = {weights.a(y), weights.b(y)};
      const std::vector<double> gates[] = {weights.a_gate(y), weights.b_gate(y)};
      for (size_t part = 0; part < 2; ++part) {
        for (size_t c = 0; c < C; ++c) {
          difference.add(double{bf16_value(result[(part * C + c) * plane + i * stride + j])},
                         values[part][c] * sigmoid(gates[part][c]));
        }
      }
    }
  }
  EXPECT_LT(difference.rms(), 1e-2);
  EXPECT_LT(difference.largest(), 5e-2);
  for (size_t at = 0; at < result.size(); ++at) {
    if (at / stride % stride >= n || at % stride >= n) {
      ASSERT_EQ(result[at], 0) << at;
    }
  }
}

TEST_P(TriangleMultiplicationKernels, FinishWithWhatTheFormulaSays) {
  Weights weights(52);
  PairCase pairs(weights.random, GetParam());
  const auto stride = static_cast<size_t>(kernels::stride_of(pairs.length));
  const size_t plane = stride * stride;
  Bits products = Linear::random_bits(weights.random, C * plane, 3);
  for (size_t at = 0; at < products.size(); ++at) {
    if (at / stride % stride >= pairs.n || at % stride >= pairs.n) products[at] = 0;
  }
  Buffer<cuda::bf16> x(products);
  pairs.expect_added(
      [&](const cuda::Gpu& gpu) {
        return kernels::finish(x.data(), pairs.z.data(), weights.pointers(), pairs.length, gpu, nullptr);
      },
      [&](size_t i, size_t j) {
        std::vector<float> product(C);
        for (size_t c = 0; c < C; ++c) product[c] = bf16_value(products[c * plane + i * stride + j]);
        std::vector<double> added = weights.out(weights.norm_out(product.data()));
        const std::vector<double> gates = weights.gate(weights.norm_in(pairs.pair(i, j)));
        for (size_t c = 0; c < C; ++c) added[c] *= sigmoid(gates[c]);
        return added;
      });
}

INSTANTIATE_TEST_SUITE_P(Lengths, TriangleMultiplicationKernels, testing::ValuesIn(lengths), name_of);

TEST(TriangleMultiplicationKernelsAlone, EachWaitIsNeeded) {
  Weights weights(3);
  PairCase pairs(weights.random, 15);
  pairs.z = pairs.before;
  Buffer<cuda::bf16> ab(2 * C * 16 * 16);
  expect_each_wait_is_needed(
      [&] {
        ab.clear();
        EXPECT_EQ(kernels::project(pairs.z.data(), weights.pointers(), ab.data(), 15, one_processor, nullptr),
                  cudaSuccess);
        return ab.values();
      },
      1);
  Buffer<cuda::bf16> x(Linear::random_bits(weights.random, C * 16 * 16, 3));
  expect_each_wait_is_needed(
      [&] {
        return pairs.after(
            [&] { return kernels::finish(x.data(), pairs.z.data(), weights.pointers(), 15, one_processor, nullptr); });
      },
      1);
}

}  // namespace
}  // namespace pleat::emulator
