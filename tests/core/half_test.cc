// The conversions against arithmetic on the fields of the format, over every value there is.
#include "core/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace pleat {
namespace {

constexpr std::uint16_t infinity = 0x7c00;

bool is_nan(std::uint32_t bits) { return (bits & 0x7fffU) > infinity; }

// The value that sign, exponent and fraction stand for.
double value_of(std::uint32_t bits) {
  const int exponent = static_cast<int>(bits >> 10 & 31U);
  const int fraction = static_cast<int>(bits & 1023U);
  const double magnitude = exponent == 31  ? std::numeric_limits<double>::infinity()
                           : exponent == 0 ? std::ldexp(fraction, -24)
                                           : std::ldexp(1024 + fraction, exponent - 25);
  return (bits & 0x8000U) != 0 ? -magnitude : magnitude;
}

TEST(Half, EveryValueBecomesItsFloat) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const float value = float_from_half(static_cast<std::uint16_t>(bits));
    if (is_nan(bits)) {
      ASSERT_TRUE(std::isnan(value)) << bits;
    } else {
      ASSERT_EQ(static_cast<double>(value), value_of(bits)) << bits;
    }
    ASSERT_EQ(std::signbit(value), (bits & 0x8000U) != 0) << bits;
  }
}

TEST(Half, EveryFloatFromAHalfGoesBack) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const std::uint16_t back = half_from_float(float_from_half(static_cast<std::uint16_t>(bits)));
    ASSERT_EQ(back, is_nan(bits) ? half_nan : bits) << bits;
  }
}

// Between each value and the next: the middle goes to the even one, and the nearest floats on its sides to theirs.
TEST(Half, RoundsToNearestAndTiesToEven) {
  for (std::uint32_t low = 0; low + 1 < infinity; ++low) {
    const auto middle = static_cast<float>((value_of(low) + value_of(low + 1)) / 2);
    const std::uint32_t even = (low & 1U) == 0 ? low : low + 1;
    ASSERT_EQ(half_from_float(middle), even) << low;
    ASSERT_EQ(half_from_float(std::nextafter(middle, 0.0F)), low) << low;
    ASSERT_EQ(half_from_float(std::nextafter(middle, 1e9F)), low + 1) << low;
    ASSERT_EQ(half_from_float(-middle), even | 0x8000U) << low;
  }
}

TEST(Half, BeyondTheLargest) {
  EXPECT_EQ(half_from_float(65504.0F), 0x7bff);
  EXPECT_EQ(half_from_float(std::nextafter(65520.0F, 0.0F)), 0x7bff);
  EXPECT_EQ(half_from_float(65520.0F), infinity);
  EXPECT_EQ(half_from_float(65536.0F), infinity);
  EXPECT_EQ(half_from_float(std::numeric_limits<float>::max()), infinity);
  EXPECT_EQ(half_from_float(-1e30F), infinity | 0x8000U);
}

TEST(Half, FloatsTooSmallBecomeASignedZero) {
  EXPECT_EQ(half_from_float(std::numeric_limits<float>::denorm_min()), 0);
  EXPECT_EQ(half_from_float(-std::numeric_limits<float>::min()), 0x8000);
  EXPECT_EQ(half_from_float(-0.0F), 0x8000);
}

TEST(Half, NotANumberStaysOne) {
  EXPECT_EQ(half_from_float(std::numeric_limits<float>::quiet_NaN()), half_nan);
  EXPECT_EQ(half_from_float(std::numeric_limits<float>::signaling_NaN()), half_nan);
  EXPECT_TRUE(std::isnan(float_from_half(half_nan)));
}

TEST(BFloat16, IsTheUpperHalfOfAFloat) {
  EXPECT_EQ(float_from_bfloat16(0x3f80), 1.0F);
  EXPECT_EQ(float_from_bfloat16(0xc000), -2.0F);
  EXPECT_EQ(float_from_bfloat16(0x0001), std::ldexp(1.0F, -133));
  EXPECT_TRUE(std::isinf(float_from_bfloat16(0x7f80)));
  EXPECT_TRUE(std::isnan(float_from_bfloat16(0x7fc0)));
}

}  // namespace
}  // namespace pleat
