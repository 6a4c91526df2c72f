#include "model_files.h"
#include "weights/checkpoint.h"

namespace pleat {
namespace {

std::string index_of(const nlohmann::json& weight_map) {
  return nlohmann::json{{"metadata", {{"total_size", 8}}}, {"weight_map", weight_map}}.dump();
}

class Sharded : public testing::Test {
 protected:
  void open() const { static_cast<void>(Checkpoint::open(folder_.path())); }
  void write_index(const std::string& text) const { write_file(folder_.path() / "model.safetensors.index.json", text); }
  void write_shards() const {
    write_file(folder_.path() / "model-00001-of-00002.safetensors", one_tensor("a"));
    write_file(folder_.path() / "model-00002-of-00002.safetensors", one_tensor("b"));
  }

  ScratchFolder folder_;
  nlohmann::json good_{{"a", "model-00001-of-00002.safetensors"}, {"b", "model-00002-of-00002.safetensors"}};
};

TEST_F(Sharded, GivesTheTensorsOfAllFiles) {
  write_shards();
  write_index(index_of(good_));
  const Checkpoint checkpoint = Checkpoint::open(folder_.path());
  EXPECT_EQ(checkpoint.tensors().size(), 2U);
  EXPECT_EQ(checkpoint.tensors().at("b").data[0], std::byte{'a'});
}

TEST_F(Sharded, ASingleFileWinsOverAnIndex) {
  write_index("broken");
  write_file(folder_.path() / "model.safetensors", two_tensors());
  EXPECT_EQ(Checkpoint::open(folder_.path()).tensors().size(), 2U);
}

TEST_F(Sharded, MissingFilesAreAllNamed) {
  write_index(index_of(good_));
  const std::string message = expect_error(ErrorCode::missing_input, "is not complete", [this] { open(); });
  EXPECT_THAT(message, testing::HasSubstr("'model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'"));
}

TEST_F(Sharded, ATensorMissingInItsFileIsNamed) {
  write_shards();
  good_["c"] = "model-00002-of-00002.safetensors";
  write_index(index_of(good_));
  expect_error(ErrorCode::bad_input, "model-00002-of-00002.safetensors' lacks tensor 'c'", [this] { open(); });
}

TEST_F(Sharded, ATensorInAnotherFileThanSaidIsNamed) {
  write_shards();
  write_file(folder_.path() / "model-00002-of-00002.safetensors",
             safetensors(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                         R"("b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                         "xy"));
  write_index(index_of(good_));
  expect_error(ErrorCode::bad_input, "holds tensor 'a', which the index does not say", [this] { open(); });
}

TEST_F(Sharded, FilesOutsideTheFolderAreRefused) {
  write_shards();
  for (const char* const name : {"../other.safetensors", "/etc/passwd.safetensors", "sub/x.safetensors", "..",
                                 ".hidden.safetensors", "", "a\\b.safetensors", "config.json"}) {
    write_index(index_of({{"a", name}}));
    expect_error(ErrorCode::bad_input, "no safetensors file of this folder", [this] { open(); });
  }
}

TEST_F(Sharded, BrokenIndexesAreRefused) {
  write_index("{");
  expect_error(ErrorCode::bad_input, "not valid JSON", [this] { open(); });
  write_index(std::string(1'000'000, '['));
  expect_error(ErrorCode::bad_input, "levels deep", [this] { open(); });
  write_index(R"({"weight_map":{"a":"x.safetensors","a":"y.safetensors"}})");
  expect_error(ErrorCode::bad_input, "'a' is given twice", [this] { open(); });
  for (const char* const text : {"[]", "3", "{}", R"({"weight_map":[]})", R"({"weight_map":{}})"}) {
    write_index(text);
    expect_error(ErrorCode::bad_input, "no weight_map", [this] { open(); });
  }
  write_index(R"({"weight_map":{"a":3}})");
  expect_error(ErrorCode::bad_input, "no safetensors file of this folder", [this] { open(); });
}

}  // namespace
}  // namespace pleat
