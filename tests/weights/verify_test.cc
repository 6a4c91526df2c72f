#include "weights/verify.h"

#include "core/sha256.h"
#include "model_files.h"
#include "weights/registry.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;

// A model in a Hugging Face cache, each file a link to a blob of the given name.
fs::path write_cached_model(const fs::path& root, const std::string& config_blob, const std::string& weights_blob) {
  const fs::path repository = root / "models--facebook--esm2_t6_8M_UR50D";
  const fs::path snapshot = repository / "snapshots" / std::string(40, 'a');
  fs::create_directories(snapshot);
  write_file(repository / "blobs" / config_blob, "{\"model_type\":\"x\"}");
  write_file(repository / "blobs" / weights_blob, two_tensors());
  fs::create_symlink("../../blobs/" + config_blob, snapshot / "config.json");
  fs::create_symlink("../../blobs/" + weights_blob, snapshot / "model.safetensors");
  return snapshot;
}

const VerifiedFile& file_called(const VerifyReport& report, const std::string& name) {
  for (const VerifiedFile& file : report.files) {
    if (file.name == name) return file;
  }
  throw std::runtime_error("no " + name);
}

TEST(Verify, APlainFolderHasNoHashesButSoundHeaders) {
  const ScratchFolder folder;
  write_model(folder.path());
  const VerifyReport report = verify_model(folder.path(), nullptr);
  EXPECT_THAT(report.problems, testing::IsEmpty());
  EXPECT_EQ(report.tensors, 2U);
  EXPECT_EQ(file_called(report, "model.safetensors").verdict, VerifiedFile::Verdict::unknown);
  EXPECT_EQ(file_called(report, "model.safetensors").sha256, sha256_of(two_tensors()));
}

TEST(Verify, BlobNamesAreCompared) {
  const ScratchFolder folder;
  // The SHA-1 of the git blob {"model_type":"x"}, as `git hash-object` gives it.
  const std::string config_blob = "8e07cfc20f2c66d26f8295d573a91a16deb27710";
  const fs::path snapshot = write_cached_model(folder.path(), config_blob, sha256_of(two_tensors()));
  const VerifyReport report = verify_model(snapshot, nullptr);
  EXPECT_EQ(file_called(report, "config.json").verdict, VerifiedFile::Verdict::match);
  EXPECT_EQ(file_called(report, "model.safetensors").verdict, VerifiedFile::Verdict::match);
  EXPECT_THAT(report.problems, testing::ElementsAre(testing::HasSubstr("the model_type is 'x'")));
}

TEST(Verify, AChangedBlobIsAProblem) {
  const ScratchFolder folder;
  const fs::path snapshot = write_cached_model(folder.path(), std::string(40, '1'), std::string(64, '2'));
  const VerifyReport report = verify_model(snapshot, nullptr);
  EXPECT_EQ(file_called(report, "config.json").verdict, VerifiedFile::Verdict::mismatch);
  EXPECT_EQ(file_called(report, "model.safetensors").verdict, VerifiedFile::Verdict::mismatch);
  EXPECT_THAT(report.problems, testing::Contains(testing::HasSubstr("does not have the hash it should have")).Times(2));
}

TEST(Verify, ThePublishedHashIsCompared) {
  const ScratchFolder folder;
  write_model(folder.path());
  const VerifyReport report = verify_model(folder.path(), find_model("esm2_t6_8M_UR50D"));
  EXPECT_EQ(file_called(report, "model.safetensors").verdict, VerifiedFile::Verdict::mismatch);
  // Another commit may hold other weights.
  const fs::path snapshot = write_cached_model(folder.path(), std::string(40, '1'), sha256_of(two_tensors()));
  EXPECT_EQ(file_called(verify_model(snapshot, find_model("esm2_t6_8M_UR50D")), "model.safetensors").verdict,
            VerifiedFile::Verdict::match);
}

TEST(Verify, DamagedHeadersAndConfigsAreAllReported) {
  const ScratchFolder folder;
  write_file(folder.path() / "config.json", "{");
  write_file(folder.path() / "model.safetensors", two_tensors().substr(0, 50));
  const VerifyReport report = verify_model(folder.path(), nullptr);
  EXPECT_THAT(report.problems,
              testing::ElementsAre(testing::HasSubstr("not valid JSON"), testing::HasSubstr("the file ends after")));
}

TEST(Verify, NoModelIsAnError) {
  const ScratchFolder folder;
  expect_error(ErrorCode::missing_input, "has no config.json", [&] { return verify_model(folder.path(), nullptr); });
}

}  // namespace
}  // namespace pleat
