#include "core/dtype.h"

#include <gtest/gtest.h>

namespace pleat {
namespace {

TEST(DType, NamesAndSizes) {
  EXPECT_EQ(name_of(DType::float32), "float32");
  EXPECT_EQ(name_of(DType::bfloat16), "bfloat16");
  EXPECT_EQ(size_of(DType::float32), 4U);
  EXPECT_EQ(size_of(DType::float16), 2U);
  EXPECT_EQ(size_of(DType::bfloat16), 2U);
  EXPECT_EQ(size_of(DType::int64), 8U);
  EXPECT_EQ(size_of(DType::uint8), 1U);
}

TEST(DType, NamesAreReadBack) {
  for (const DType type : {DType::float32, DType::float16, DType::bfloat16, DType::int64, DType::uint8}) {
    EXPECT_EQ(dtype_from_name(name_of(type)), type);
  }
  EXPECT_FALSE(dtype_from_name("float64").has_value());
  EXPECT_FALSE(dtype_from_name("").has_value());
  EXPECT_FALSE(dtype_from_name("Float32").has_value());
}

}  // namespace
}  // namespace pleat
