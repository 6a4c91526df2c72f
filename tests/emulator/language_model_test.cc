// The kernels between the products of the language model.
#include <gtest/gtest.h>

#include "emulator/faults.h"
#include "emulator/plain.h"
#include "ops/attention/kernels.h"
#include "ops/layer_norm/kernels.h"
#include "ops/linear/kernels.h"

namespace pleat::emulator {
namespace {

using cuda::Half;
using Bits = std::vector<std::uint16_t>;
using std::size_t;

float value(Half type, std::uint16_t bits) { return type == Half::bfloat16 ? bf16_value(bits) : fp16_value(bits); }
std::uint16_t rounded(Half type, float x) { return type == Half::bfloat16 ? bf16_bits(x) : fp16_bits(x); }
Bits random_halves(Random& random, Half type, size_t count, double deviation) {
  Bits bits(count);
  for (std::uint16_t& x : bits) x = rounded(type, static_cast<float>(deviation * random.normal()));
  return bits;
}

class LanguageModelKernels : public testing::TestWithParam<Half> {};

TEST_P(LanguageModelKernels, RotateToTheBitsOfSeparateOperations) {
  for (const auto& [heads, dim] :
       std::vector<std::pair<int, int>>{{20, 16}, {3, 24}, {20, 24}, {5, 32}, {20, 64}, {2, 128}}) {
    for (const int tokens : lengths) {
      Random random(61);
      const auto count = static_cast<size_t>(tokens);
      const auto width = static_cast<size_t>(heads * dim);
      const auto half = static_cast<size_t>(dim / 2);
      const Bits before = random_halves(random, GetParam(), count * 3 * width, 1);
      Buffer<float> cos(random.vector(count * half, 0, 0.7)), sin(random.vector(count * half, 0, 0.7));
      Buffer<std::uint16_t> qkv(before);
      ASSERT_EQ(cuda::rotary::rotate(qkv.data(), GetParam(), cos.data(), sin.data(), tokens, heads, dim, nullptr),
                cudaSuccess);
      Bits expected = before;
      for (size_t i = 0; i < expected.size(); ++i) {
        const size_t place = i % (2 * half);
        if (i / width % 3 == 2) continue;  // a value
        const size_t angle = i / (3 * width) * half + place % half;
        const float c = cos.data()[angle];
        const float s = sin.data()[angle];
        const float own = value(GetParam(), before[i]) * c;
        const float other = value(GetParam(), before[place < half ? i + half : i - half]) * s;
        expected[i] = rounded(GetParam(), place < half ? own - other : own + other);
      }
      EXPECT_EQ(qkv.values(), expected) << heads << " heads of " << dim << ", " << tokens << " tokens";
      EXPECT_TRUE(qkv.is_intact());
    }
  }
  EXPECT_EQ(cuda::rotary::rotate(nullptr, GetParam(), nullptr, nullptr, 1, 1, 40, nullptr), cudaErrorInvalidValue);
}

TEST_P(LanguageModelKernels, AddAndNormaliseAsTheFormulaSays) {
  for (const int width : {320, 480, 640, 1024, 1280, 2560, 5120}) {
    ASSERT_TRUE(cuda::add_norm::suits(width));
    for (const int tokens : {1, 7, 16, 37}) {
      for (const bool with_update : {true, false}) {
        Random random(62);
        const auto columns = static_cast<size_t>(width);
        const size_t count = static_cast<size_t>(tokens) * columns;
        const std::vector<float> before = random.vector(count, 3, 2);
        Buffer<float> residual(before), weight(random.vector(columns, 1, 0.2)), bias(random.vector(columns, 0, 0.2));
        Buffer<std::uint16_t> update(random_halves(random, GetParam(), count, 1)), out(count);
        ASSERT_EQ(
            cuda::add_norm::apply(residual.data(), with_update ? update.data() : nullptr, {weight.data(), bias.data()},
                                  1e-5f, out.data(), GetParam(), tokens, width, nullptr),
            cudaSuccess);
        std::vector<float> sums = before;
        for (size_t i = 0; i < count && with_update; ++i) sums[i] += value(GetParam(), update.data()[i]);
        EXPECT_EQ(residual.values(), sums);
        Difference difference;
        for (size_t begin = 0; begin < count; begin += columns) {
          const std::vector<double> expected = normalised(sums.data() + begin, columns, weight.data(), bias.data());
          for (size_t c = 0; c < columns; ++c) {
            difference.add(double{value(GetParam(), out.data()[begin + c])}, expected[c]);
          }
        }
        EXPECT_LT(difference.largest(), GetParam() == Half::bfloat16 ? 4e-3 : 5e-4) << width;
        EXPECT_TRUE(out.is_intact() && residual.is_intact());
      }
    }
  }
  EXPECT_FALSE(cuda::add_norm::suits(96));
}

TEST_P(LanguageModelKernels, GeluIsTheExactOne) {
  Bits all(65536);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
  Buffer<std::uint16_t> x(all);
  ASSERT_EQ(cuda::gelu::apply(x.data(), GetParam(), 65536, nullptr), cudaSuccess);
  for (size_t i = 0; i < all.size(); ++i) {
    const double given = double{value(GetParam(), all[i])};
    const double result = double{value(GetParam(), x.data()[i])};
    if (std::isnan(given)) {
      EXPECT_TRUE(std::isnan(result)) << i;
    } else if (std::isfinite(given)) {
      const double expected = given * std::erfc(-given / std::sqrt(2.0)) / 2;
      const double step = GetParam() == Half::bfloat16 ? std::ldexp(1, -8) : std::ldexp(1, -11);
      EXPECT_NEAR(result, expected, std::abs(expected) * step * 1.02 + 1e-6) << given;
    }
  }
  EXPECT_TRUE(x.is_intact());
  // Any count of whole pieces.
  for (const int pieces : lengths) {
    Buffer<std::uint16_t> some(Bits(static_cast<size_t>(pieces) * 8, rounded(GetParam(), 1)));
    ASSERT_EQ(cuda::gelu::apply(some.data(), GetParam(), pieces * 8, nullptr), cudaSuccess);
    EXPECT_EQ(some.values(), Bits(static_cast<size_t>(pieces) * 8, rounded(GetParam(), 0.841345f)));
    EXPECT_TRUE(some.is_intact());
  }
  EXPECT_EQ(cuda::gelu::apply(x.data(), GetParam(), 12, nullptr), cudaErrorInvalidValue);
}

INSTANTIATE_TEST_SUITE_P(Types, LanguageModelKernels, testing::Values(Half::bfloat16, Half::float16),
                         [](const auto& row) { return row.param == Half::bfloat16 ? "bf16" : "fp16"; });

TEST(LanguageModelKernelsAlone, EachWaitIsNeeded) {
  Random random(63);
  const size_t count = 3 * 5120;
  const std::vector<float> before = random.vector(count, 3, 2);
  Buffer<float> residual(count), weight(random.vector(5120, 1, 0.2)), bias(random.vector(5120, 0, 0.2));
  Buffer<std::uint16_t> out(count);
  expect_each_wait_is_needed(
      [&] {
        residual = before;
        EXPECT_EQ(cuda::add_norm::apply(residual.data(), nullptr, {weight.data(), bias.data()}, 1e-5f, out.data(),
                                        Half::bfloat16, 3, 5120, nullptr),
                  cudaSuccess);
        return out.values();
      },
      0);
}

}  // namespace
}  // namespace pleat::emulator
