#include "core/size_text.h"

#include <gtest/gtest.h>

namespace pleat {
namespace {

TEST(SizeText, IsNeverARoundedZero) {
  EXPECT_EQ(size_text(0), "0 B");
  EXPECT_EQ(size_text(7), "7 B");
  EXPECT_EQ(size_text(999), "999 B");
  EXPECT_EQ(size_text(1000), "1.0 kB");
  EXPECT_EQ(size_text(2'700'000), "2.7 MB");
  EXPECT_EQ(size_text(24'000'000'000), "24.0 GB");
  EXPECT_EQ(size_text(UINT64_MAX), "18446744073.7 GB");
}

}  // namespace
}  // namespace pleat
