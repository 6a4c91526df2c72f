#include "core/text.h"

#include <gtest/gtest.h>

#include <vector>

namespace pleat {
namespace {

TEST(Text, LowerCaseChangesAsciiLettersOnly) {
  EXPECT_EQ(lower_case("Content-LENGTH: 7 \xC3\x84[`"), "content-length: 7 \xC3\x84[`");
  EXPECT_EQ(lower_case(""), "");
}

TEST(Text, TrimsTheBlanksAskedFor) {
  EXPECT_EQ(trimmed(" \t a b\t "), "a b");
  EXPECT_EQ(trimmed("a\r\n"), "a\r\n");
  EXPECT_EQ(trimmed(" a\r\n", " \r\n"), "a");
  EXPECT_EQ(trimmed(" \t "), "");
  EXPECT_EQ(trimmed(""), "");
}

TEST(Text, ShapesAreLists) {
  EXPECT_EQ(shape_text(std::vector<std::int64_t>{2, 3}), "[2, 3]");
  EXPECT_EQ(shape_text(std::vector<std::int64_t>{-1}), "[-1]");
  EXPECT_EQ(shape_text({}), "[]");
}

}  // namespace
}  // namespace pleat
