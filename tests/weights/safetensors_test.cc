#include <gmock/gmock.h>

#include <cstring>
#include <vector>

#include "core/sha256.h"
#include "model_files.h"
#include "weights/checkpoint.h"

namespace pleat {
namespace {

float float_at(const TensorView& tensor, std::size_t index) {
  float value = 0;
  std::memcpy(&value, tensor.data.data() + 4 * index, 4);
  return value;
}

TEST(Safetensors, GivesTensorsByName) {
  const ScratchFolder folder;
  write_file(folder.path() / "model.safetensors", two_tensors());
  const Checkpoint checkpoint = Checkpoint::open(folder.path());
  ASSERT_EQ(checkpoint.tensors().size(), 2U);
  const TensorView& a = checkpoint.tensors().at("a");
  EXPECT_EQ(a.dtype, DType::float32);
  EXPECT_THAT(a.shape, testing::ElementsAre(2, 3));
  EXPECT_EQ(a.numel(), 6);
  EXPECT_EQ(float_at(a, 5), 5.0F);
  EXPECT_EQ(float_at(checkpoint.tensors().at("b"), 0), 6.0F);
  EXPECT_EQ(checkpoint.folder(), folder.path());
}

TEST(Safetensors, ReadsEveryTypeItNames) {
  const std::string header =
      R"({"f":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"h":{"dtype":"F16","shape":[1],"data_offsets":[4,6]},)"
      R"("b":{"dtype":"BF16","shape":[1],"data_offsets":[6,8]},"i":{"dtype":"I64","shape":[1],"data_offsets":[8,16]},)"
      R"("u":{"dtype":"U8","shape":[1],"data_offsets":[16,17]}})";
  const ScratchFolder folder;
  write_file(folder.path() / "model.safetensors", safetensors(header, std::string(17, 'x')));
  const Checkpoint checkpoint = Checkpoint::open(folder.path());
  EXPECT_EQ(checkpoint.tensors().at("f").dtype, DType::float32);
  EXPECT_EQ(checkpoint.tensors().at("h").dtype, DType::float16);
  EXPECT_EQ(checkpoint.tensors().at("b").dtype, DType::bfloat16);
  EXPECT_EQ(checkpoint.tensors().at("i").dtype, DType::int64);
  EXPECT_EQ(checkpoint.tensors().at("u").dtype, DType::uint8);
}

TEST(Safetensors, DataMayBeUnaligned) {
  // An odd header length puts the floats on odd addresses.
  std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  while (header.size() % 2 == 0) header += ' ';
  const float value = 2.5F;
  const ScratchFolder folder;
  write_file(folder.path() / "model.safetensors",
             safetensors(header, std::string(reinterpret_cast<const char*>(&value), 4)));
  const Checkpoint checkpoint = Checkpoint::open(folder.path());
  EXPECT_EQ(float_at(checkpoint.tensors().at("a"), 0), 2.5F);
}

TEST(Safetensors, ReadsScalarsAndEmptyTensors) {
  const std::string header =
      R"({"none":{"dtype":"F32","shape":[9223372036854775807,9223372036854775807,0],"data_offsets":[0,0]},)"
      R"("scalar":{"dtype":"U8","shape":[],"data_offsets":[0,1]}})";
  const ScratchFolder folder;
  write_file(folder.path() / "model.safetensors", safetensors(header, "z"));
  const Checkpoint checkpoint = Checkpoint::open(folder.path());
  EXPECT_EQ(checkpoint.tensors().at("none").numel(), 0);
  EXPECT_EQ(checkpoint.tensors().at("scalar").numel(), 1);
}

TEST(Safetensors, PartsAreReadFromTheFile) {
  const std::string header = R"({"a":{"dtype":"U8","shape":[40960],"data_offsets":[0,40960]}})";
  const ScratchFolder folder;
  write_file(folder.path() / "model.safetensors", safetensors(header, std::string(40960, 'q')));
  const Checkpoint checkpoint = Checkpoint::open(folder.path());
  const TensorView& tensor = checkpoint.tensors().at("a");
  std::vector<std::byte> part(1000);
  checkpoint.read(tensor.data.subspan(20000, part.size()), part);
  EXPECT_THAT(part, ::testing::Each(std::byte{'q'}));
}

TEST(Safetensors, HashCoversConfigAndWeights) {
  const ScratchFolder folder;
  write_file(folder.path() / "model.safetensors", two_tensors());
  write_file(folder.path() / "config.json", "{}");
  const std::string expected =
      sha256_of("config.json " + sha256_of("{}") + "\nmodel.safetensors " + sha256_of(two_tensors()) + "\n");
  EXPECT_EQ(Checkpoint::open(folder.path()).sha256(), expected);
}

TEST(Safetensors, MissingFilesAreNamed) {
  const ScratchFolder folder;
  expect_error(ErrorCode::missing_input, "neither model.safetensors nor pytorch_model.bin, and no index",
               [&] { return Checkpoint::open(folder.path()); });
  expect_error(ErrorCode::missing_input, "is not a folder",
               [&] { return Checkpoint::open(folder.path() / "nowhere"); });
}

}  // namespace
}  // namespace pleat
