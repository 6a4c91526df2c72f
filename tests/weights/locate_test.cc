#include "weights/locate.h"

#include "environment_variables.h"
#include "model_files.h"
#include "weights/registry.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;

constexpr const char* model = "esm2_t6_8M_UR50D";
const std::string main_commit(40, 'a');
const std::string other_commit(40, 'b');

class Locate : public testing::Test {
 protected:
  Locate() {
    EnvironmentVariables::set("PLEAT_MODELS", models().string());
    EnvironmentVariables::set("HF_HUB_CACHE", cache().string());
  }

  [[nodiscard]] fs::path models() const { return folder_.path() / "models"; }
  [[nodiscard]] fs::path cache() const { return folder_.path() / "cache"; }
  [[nodiscard]] fs::path base() const { return folder_.path() / "base"; }
  static fs::path repository(const fs::path& cache) { return cache / "models--facebook--esm2_t6_8M_UR50D"; }
  static fs::path snapshot(const fs::path& cache, const std::string& commit) {
    return repository(cache) / "snapshots" / commit;
  }
  [[nodiscard]] fs::path locate(const std::string& name) const { return locate_model(name, base()); }

 private:
  EnvironmentVariables variables_;
  ScratchFolder folder_;
};

TEST_F(Locate, AFolderIsTakenRelativeToTheBase) {
  write_model(base() / "my/model");
  EXPECT_EQ(locate("my/model"), base() / "my/model");
  EXPECT_EQ(locate((base() / "my/model").string()), base() / "my/model");
}

TEST_F(Locate, AnIncompleteFolderIsAnError) {
  write_file(base() / "m/model.safetensors", two_tensors());
  expect_error(ErrorCode::missing_input, "has no config.json", [this] { return locate("m"); });
  fs::remove(base() / "m/model.safetensors");
  write_file(base() / "m/config.json", "{}");
  expect_error(ErrorCode::missing_input, "neither model.safetensors", [this] { return locate("m"); });
  write_file(base() / "m/pytorch_model.bin.index.json", R"({"weight_map":{"a":"pytorch_model-00001-of-00001.bin"}})");
  expect_error(ErrorCode::missing_input, "'pytorch_model-00001-of-00001.bin' missing", [this] { return locate("m"); });
  write_file(base() / "m/pytorch_model.bin", "PK");
  EXPECT_EQ(locate("m"), base() / "m");
}

TEST_F(Locate, AnUnknownNameIsAnError) {
  expect_error(ErrorCode::missing_input, "'nothing' is neither a folder nor a published model's name",
               [this] { return locate("nothing"); });
  expect_error(ErrorCode::missing_input, "the model's name is empty", [this] { return locate(""); });
  expect_error(ErrorCode::missing_input, "neither a folder", [this] { return locate(std::string(100'000, 'x')); });
}

TEST_F(Locate, PlacesComeInOrder) {
  const std::string pinned(find_model(model)->revision);
  write_model(snapshot(cache(), other_commit));
  write_file(repository(cache()) / "refs/refs/pr/4", other_commit);
  EXPECT_EQ(locate(model), snapshot(cache(), other_commit));
  write_model(snapshot(cache(), main_commit));
  write_file(repository(cache()) / "refs/main", main_commit + "\n");
  EXPECT_EQ(locate(model), snapshot(cache(), main_commit));
  write_model(snapshot(cache(), pinned));
  EXPECT_EQ(locate(model), snapshot(cache(), pinned));
  write_model(snapshot(models() / "hub", pinned));
  EXPECT_EQ(locate(model), snapshot(models() / "hub", pinned));
  write_model(snapshot(models(), pinned));
  EXPECT_EQ(locate(model), snapshot(models(), pinned));
  write_model(models() / model);
  EXPECT_EQ(locate(model), models() / model);
  EXPECT_EQ(locate("facebook/esm2_t6_8M_UR50D"), models() / model);
  write_model(base() / model);
  EXPECT_EQ(locate(model), base() / model);
}

TEST_F(Locate, AnUnnamedSnapshotIsNotGuessed) {
  write_model(snapshot(cache(), other_commit));
  expect_error(ErrorCode::missing_input, "are not on this machine", [this] { return locate(model); });
}

TEST_F(Locate, AFolderOfTheNameThatIsNoModelIsPassedOver) {
  fs::create_directories(base() / model);
  write_model(models() / model);
  EXPECT_EQ(locate(model), models() / model);
}

TEST_F(Locate, AHalfDownloadedSnapshotIsReportedAndTheNextPlaceTried) {
  write_file(snapshot(models(), main_commit) / "config.json", "{}");
  write_file(snapshot(models(), main_commit) / "model.safetensors.index.json",
             R"({"weight_map":{"a":"model-00001-of-00001.safetensors"}})");
  write_file(repository(models()) / "refs/main", main_commit);
  expect_error(ErrorCode::missing_input, "is not complete: 'model-00001-of-00001.safetensors' missing",
               [this] { return locate(model); });
  write_model(snapshot(cache(), main_commit));
  write_file(repository(cache()) / "refs/main", main_commit);
  EXPECT_EQ(locate(model), snapshot(cache(), main_commit));
}

TEST_F(Locate, ABrokenLinkIsIncomplete) {
  write_file(snapshot(cache(), main_commit) / "config.json", "{}");
  fs::create_symlink("../../blobs/gone", snapshot(cache(), main_commit) / "model.safetensors");
  write_file(repository(cache()) / "refs/main", main_commit);
  expect_error(ErrorCode::missing_input, "neither model.safetensors", [this] { return locate(model); });
}

TEST_F(Locate, ARefThatIsNoCommitLeadsNowhere) {
  write_model(repository(cache()) / "elsewhere");
  write_file(repository(cache()) / "refs/main", "../elsewhere");
  expect_error(ErrorCode::missing_input, "are not on this machine", [this] { return locate(model); });
}

TEST_F(Locate, TheErrorNamesPlacesAndTheCommand) {
  try {
    static_cast<void>(locate(model));
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr(models().string()));
    EXPECT_THAT(error.what(), testing::HasSubstr(cache().string()));
    EXPECT_THAT(error.hint(), testing::HasSubstr("pleat model fetch esm2_t6_8M_UR50D"));
    EXPECT_THAT(error.hint(), testing::HasSubstr("--output DIR"));
  }
}

}  // namespace
}  // namespace pleat
