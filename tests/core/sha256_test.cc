// The examples of FIPS 180-4 and the NIST test vectors.
#include "core/sha256.h"

#include <gtest/gtest.h>

#include <array>

#include "core/error.h"
#include "core/stop.h"
#include "scratch_folder.h"

namespace pleat {
namespace {

TEST(Sha256, KnownVectors) {
  EXPECT_EQ(sha256_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_of(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PartsGiveTheHashOfTheWhole) {
  Sha256 hash;
  hash.update("a");
  hash.update("");
  constexpr std::array bytes{std::byte{'b'}, std::byte{'c'}};
  hash.update(bytes);
  EXPECT_EQ(hash.finish(), sha256_of("abc"));
}

TEST(Sha256, FilesLargerThanTheBuffer) {
  const ScratchFolder folder;
  const std::string content((std::size_t{1} << 20) * 2 + 17, 'x');
  EXPECT_EQ(sha256_of_file(folder.write("large", content)), sha256_of(content));
  EXPECT_EQ(sha256_of_file(folder.write("empty", "")), sha256_of(""));
}

TEST(Sha256, FilesThatCannotBeRead) {
  const ScratchFolder folder;
  for (const std::filesystem::path& path : {folder.path() / "none", folder.path()}) {
    try {
      static_cast<void>(sha256_of_file(path));
      FAIL() << "no error for " << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::missing_input);
      EXPECT_NE(std::string(error.what()).find(path.string()), std::string::npos) << error.what();
    }
  }
}

TEST(Sha256, AFileIsHashedUntilItIsStopped) {
  const ScratchFolder folder;
  StopToken token;
  EXPECT_EQ(sha256_of_file(folder.write("a", "abc"), &token), sha256_of("abc"));
  token.request(StopReason::deadline);
  EXPECT_THROW(static_cast<void>(sha256_of_file(folder.path() / "a", &token)), Stopped);
}

}  // namespace
}  // namespace pleat
