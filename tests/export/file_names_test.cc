#include "export/file_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/text.h"

namespace pleat {
namespace {

TEST(SafeNameTest, LeavesGoodNamesAlone) {
  for (const char* name : {"P12345", "a.b-c_d", "1abc_A", "UniRef50_A0A009"}) EXPECT_EQ(safe_name(name), name);
}

TEST(SafeNameTest, MendsWhatFileSystemsAndShellsStumbleOver) {
  EXPECT_EQ(safe_name("sp|P01308|INS_HUMAN"), "sp_P01308_INS_HUMAN");
  EXPECT_EQ(safe_name("../../etc/passwd"), "_._.._etc_passwd");
  EXPECT_EQ(safe_name("a b\tc\nd"), "a_b_c_d");
  EXPECT_EQ(safe_name("a<>:\"\\|?*b"), "a_b");
  EXPECT_EQ(safe_name("Insulin-\xc3\x84-\xe8\x9b\x8b"), "Insulin-_-_");
  EXPECT_EQ(safe_name(std::string("nul\0byte", 8)), "nul_byte");
  EXPECT_EQ(safe_name("\xff\xfe"), "_");
}

TEST(SafeNameTest, AvoidsTheDevicesOfWindows) {
  for (const char* name : {"con", "PRN", "aux.x", "NUL", "com1", "LPT9.pdb", "COM0"}) {
    EXPECT_EQ(safe_name(name), std::string("_") + name);
  }
  for (const char* name : {"cons", "com", "com10", "lpta", "null"}) EXPECT_EQ(safe_name(name), name);
}

TEST(SafeNameTest, IsNeverLongNorEmptyNorHidden) {
  EXPECT_EQ(safe_name(""), "unnamed");
  EXPECT_EQ(safe_name(std::string(10000, 'n')), std::string(80, 'n'));
  EXPECT_EQ(safe_name("."), "_");
  EXPECT_EQ(safe_name(".."), "__");
  EXPECT_EQ(safe_name("..."), "_._");
  EXPECT_EQ(safe_name(".hidden"), "_hidden");
  EXPECT_EQ(safe_name("-rf"), "_rf");
  EXPECT_EQ(safe_name("end."), "end_");
}

TEST(FileNamesTest, AreUniqueWhateverTheCase) {
  FileNames names;
  EXPECT_EQ(names.next("a"), "a");
  EXPECT_EQ(names.next("a_2"), "a_2");
  EXPECT_EQ(names.next("A"), "A_3");
  EXPECT_EQ(names.next("a"), "a_4");
  EXPECT_EQ(names.next("a_2"), "a_2_2");
  EXPECT_EQ(names.next("ä"), "_");
  EXPECT_EQ(names.next("ö"), "__2");
  EXPECT_EQ(names.next(""), "unnamed");
  EXPECT_EQ(names.next("unnamed"), "unnamed_2");
}

TEST(FileNamesTest, ManyOfOneNameAreQuickAndDistinct) {
  FileNames names;
  std::set<std::string> seen;
  for (int i = 0; i < 100000; ++i) {
    const std::string name = names.next(i % 2 == 0 ? std::string(90, 'x') : "X/Y");
    EXPECT_LE(name.size(), 100);
    EXPECT_TRUE(seen.insert(lower_case(name)).second) << name;
  }
}

}  // namespace
}  // namespace pleat
