#include "weights/sample_hash.h"

#include <gtest/gtest.h>

#include <string>

#include "core/error.h"
#include "core/scratch_folder.h"

namespace pleat {
namespace {

constexpr std::size_t mebibyte = 1 << 20;

class SampleHashTest : public ::testing::Test {
 protected:
  std::string hash_of(const std::string& content) { return sample_hash(folder_.write("w", content)); }
  ScratchFolder folder_;
};

TEST_F(SampleHashTest, EveryByteOfASmallFileCounts) {
  std::string content(3 * mebibyte, 'a');
  const std::string before = hash_of(content);
  EXPECT_EQ(hash_of(content), before);
  content[1'500'001] = 'b';
  EXPECT_NE(hash_of(content), before);
}

TEST_F(SampleHashTest, SizeHeadersAndBlocksOfALargeFileCount) {
  const std::string content(10 * mebibyte, 'a');
  const std::string before = hash_of(content);
  EXPECT_EQ(hash_of(content), before);
  EXPECT_NE(hash_of(content + "a"), before);
  for (const std::size_t at : {std::size_t{0}, mebibyte - 1, 9 * mebibyte, content.size() - 1}) {
    std::string changed = content;
    changed[at] = 'b';
    EXPECT_NE(hash_of(changed), before) << at;
  }
  std::string trained = content;  // in the middle alone
  for (std::size_t i = 5 * mebibyte; i < 6 * mebibyte; ++i) trained[i] = 'b';
  EXPECT_NE(hash_of(trained), before);
}

TEST_F(SampleHashTest, AMissingFileIsAnError) {
  EXPECT_THROW(static_cast<void>(sample_hash(folder_.path() / "none")), Error);
}

}  // namespace
}  // namespace pleat
