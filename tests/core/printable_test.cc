#include "core/printable.h"

#include <gtest/gtest.h>

namespace pleat {
namespace {

TEST(Printable, PlainTextAndUtf8StayAsTheyAre) {
  for (const char* text : {"", "a b", "häm", "\xc2\xa0"}) EXPECT_EQ(printable(text), text);
}

TEST(Printable, NothingThatCommandsATerminalIsLeft) {
  EXPECT_EQ(printable("a\x1b[31mb\n\x7f"), "a?[31mb??");
  EXPECT_EQ(printable("a\xc2\x9b"
                      "31mb\xc2\x80\xc2\x9f"),
            "a?31mb??");
}

TEST(Printable, BytesOfNoCharacterAreReplaced) {
  EXPECT_EQ(printable("M\xfcller"), "M\xef\xbf\xbdller");
  EXPECT_EQ(printable("\xe2\x80"), "\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(Printable, LongTextIsCutBetweenCharacters) {
  EXPECT_EQ(printable("abcdef", 6), "abcdef");
  EXPECT_EQ(printable("abcdef", 5), "abcde...");
  EXPECT_EQ(printable("abcd\xc3\xa4", 5), "abcd...");
}

}  // namespace
}  // namespace pleat
