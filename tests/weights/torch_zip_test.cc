#include "weights/torch_zip.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "core/file.h"
#include "core/sha256.h"
#include "model_files.h"
#include "test_data.h"
#include "torch_files.h"
#include "weights/checkpoint.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;

const fs::path data_folder = test_data() / "torch_zip";

template <typename Number>
std::vector<Number> numbers_of(const TensorView& tensor) {
  std::vector<Number> numbers(tensor.data.size() / sizeof(Number));
  std::memcpy(numbers.data(), tensor.data.data(), tensor.data.size());
  return numbers;
}

// A file of torch.save, read where it lies.
struct OpenFile {
  explicit OpenFile(const fs::path& file) : map(file), tensors(parse_torch_zip(map.bytes(), file)) {}
  MappedFile map;
  std::map<std::string, TensorView> tensors;
};

std::map<std::string, TensorView> parse(const std::string& bytes) {
  return parse_torch_zip(std::as_bytes(std::span(bytes)), "pytorch_model.bin");
}

// What scripts/golden/make_torch_zip.py wrote.
class WrittenByTorch : public testing::TestWithParam<const char*> {};

TEST_P(WrittenByTorch, GivesEveryTensor) {
  const OpenFile file(data_folder / GetParam());
  const auto& tensors = file.tensors;
  ASSERT_EQ(tensors.size(), 9U);
  EXPECT_EQ(tensors.at("float").dtype, DType::float32);
  EXPECT_THAT(tensors.at("float").shape, testing::ElementsAre(2, 3));
  EXPECT_THAT(numbers_of<float>(tensors.at("float")), testing::ElementsAre(0.F, 1.F, 2.F, 3.F, 4.F, 5.F));
  EXPECT_EQ(tensors.at("tied").data.data(), tensors.at("float").data.data());
  EXPECT_THAT(tensors.at("second_row").shape, testing::ElementsAre(1, 3));
  EXPECT_THAT(numbers_of<float>(tensors.at("second_row")), testing::ElementsAre(3.F, 4.F, 5.F));
  EXPECT_EQ(tensors.at("half").dtype, DType::float16);
  EXPECT_THAT(numbers_of<std::uint16_t>(tensors.at("half")), testing::ElementsAre(0x3c00, 0xc000));  // 1, -2
  EXPECT_EQ(tensors.at("bfloat16").dtype, DType::bfloat16);
  EXPECT_THAT(tensors.at("bfloat16").shape, testing::ElementsAre(2, 1, 1));
  EXPECT_THAT(numbers_of<std::uint16_t>(tensors.at("bfloat16")), testing::ElementsAre(0x3f80, 0x4040));  // 1, 3
  EXPECT_EQ(tensors.at("int64").dtype, DType::int64);
  EXPECT_THAT(numbers_of<std::int64_t>(tensors.at("int64")), testing::ElementsAre(-1, std::int64_t{1} << 40));
  EXPECT_EQ(tensors.at("uint8").dtype, DType::uint8);
  EXPECT_THAT(tensors.at("scalar").shape, testing::IsEmpty());
  EXPECT_THAT(numbers_of<float>(tensors.at("scalar")), testing::ElementsAre(3.5F));
  EXPECT_THAT(tensors.at("empty").shape, testing::ElementsAre(0, 4));
  EXPECT_EQ(tensors.at("empty").data.size(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Protocols, WrittenByTorch,
                         testing::Values("protocol2.bin", "protocol3.bin", "protocol4.bin", "protocol5.bin"),
                         [](const auto& test) { return std::string(test.param).substr(0, 9); });

struct Refused {
  const char* file;
  const char* text;
};

void PrintTo(const Refused& refused, std::ostream* out) { *out << refused.file; }

class RefusedOfTorch : public testing::TestWithParam<Refused> {};

TEST_P(RefusedOfTorch, SaysWhyAndHowToConvert) {
  try {
    const OpenFile file(data_folder / GetParam().file);
    ADD_FAILURE() << "was not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_input);
    EXPECT_THAT(error.what(), testing::HasSubstr(GetParam().file));
    EXPECT_THAT(error.what(), testing::HasSubstr(GetParam().text));
    EXPECT_THAT(error.hint(), testing::HasSubstr("save_pretrained(NEW_FOLDER) writes model.safetensors"));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Files, RefusedOfTorch,
    testing::Values(Refused{"transposed.bin",
                            "tensor 'a' of shape [3, 2] is not stored row by row (its strides are [1, 3])"},
                    Refused{"expanded.bin", "tensor 'a' of shape [4, 2] is not stored row by row"},
                    Refused{"double.bin", "numbers of a type that is not read, 'torch.DoubleStorage'"},
                    Refused{"parameter.bin", "refers to 'torch._utils._rebuild_parameter'"},
                    Refused{"training.bin", "'model' is a dictionary, not a tensor"},
                    Refused{"module.bin", "refers to 'torch.nn.modules.linear.Linear'"},
                    Refused{"list.bin", "holds the pickle instruction EMPTY_LIST"},
                    Refused{"legacy.bin", "the format that torch.save wrote before PyTorch 1.6"}),
    [](const auto& test) {
      const std::string file = test.param.file;
      return file.substr(0, file.find('.'));
    });

TEST(TorchZip, HandmadeFilesAreSound) {  // what the hostile ones are made from
  const ZipFile file = small_torch_file();
  const auto tensors = parse(file.bytes);
  ASSERT_EQ(tensors.size(), 1U);
  EXPECT_THAT(tensors.at("a").shape, testing::ElementsAre(2));
  EXPECT_EQ(std::memcmp(tensors.at("a").data.data(), "abcdefgh", 8), 0);
}

TEST(TorchZip, AnEmptyDictionaryIsOne) { EXPECT_TRUE(parse(torch_file(pickled::dictionary(""), {}).bytes).empty()); }

TEST(TorchZip, ZipFieldsThatDidNotFitAreReadElsewhere) {
  // The numbers of an entry beyond 4 GB: saturated in the directory, and right in an extra field.
  ZipFile file = small_torch_file();
  const std::size_t entry = file.central.at("m/data/0");
  const std::string extra =
      little(1, 2) + little(24, 2) + little(8, 8) + little(8, 8) + little(file.local.at("m/data/0"), 8);
  file.put(entry + 20, 0xffffffff, 4);
  file.put(entry + 24, 0xffffffff, 4);
  file.put(entry + 30, extra.size(), 2);
  file.put(entry + 42, 0xffffffff, 4);
  file.bytes.insert(entry + 46 + 8, extra);
  file.put(file.end64 + extra.size() + 40, file.end64 - file.directory + extra.size(), 8);
  file.put(file.end64 + extra.size() + 56 + 8, file.end64 + extra.size(), 8);
  file.put(file.end + extra.size() + 8, 0xffff, 2);
  file.put(file.end + extra.size() + 10, 0xffff, 2);
  file.put(file.end + extra.size() + 12, 0xffffffff, 4);
  file.put(file.end + extra.size() + 16, 0xffffffff, 4);
  EXPECT_EQ(parse(file.bytes).size(), 1U);
}

TEST(TorchZip, OldFilesLackTheZip64Record) {
  ZipFile file = small_torch_file();
  file.bytes.erase(file.end64, file.end - file.end64);
  EXPECT_EQ(parse(file.bytes).size(), 1U);
}

// A checkpoint's folder.

TEST(TorchCheckpoint, PartsAreReadFromTheFile) {
  const ScratchFolder folder;
  const std::string pickle = pickled::dictionary(
      pickled::text("a") + pickled::tensor(pickled::storage("0", 40960, "ByteStorage"), 0, {40960}, {1}));
  write_file(folder.path() / "pytorch_model.bin", torch_file(pickle, {{"0", std::string(40960, 'q')}}).bytes);
  const Checkpoint checkpoint = Checkpoint::open(folder.path());
  const TensorView& tensor = checkpoint.tensors().at("a");
  std::vector<std::byte> part(1000);
  checkpoint.read(tensor.data.subspan(20000, part.size()), part);
  EXPECT_THAT(part, ::testing::Each(std::byte{'q'}));
}

TEST(TorchCheckpoint, SafetensorsComeFirst) {
  const ScratchFolder folder;
  write_file(folder.path() / "pytorch_model.bin", small_torch_file().bytes);
  EXPECT_EQ(Checkpoint::open(folder.path()).tensors().size(), 1U);
  write_file(folder.path() / "model.safetensors", two_tensors());
  EXPECT_EQ(Checkpoint::open(folder.path()).tensors().size(), 2U);
}

TEST(TorchCheckpoint, HashCoversConfigAndWeights) {
  const ScratchFolder folder;
  const std::string weights = small_torch_file().bytes;
  write_file(folder.path() / "pytorch_model.bin", weights);
  write_file(folder.path() / "config.json", "{}");
  const std::string expected =
      sha256_of("config.json " + sha256_of("{}") + "\npytorch_model.bin " + sha256_of(weights) + "\n");
  EXPECT_EQ(Checkpoint::open(folder.path()).sha256(), expected);
}

TEST(TorchCheckpoint, ShardsAreJoined) {
  const ScratchFolder folder;
  const auto shard = [](const char* name) {
    return torch_file(pickled::dictionary(pickled::text(name) + pickled::tensor(pickled::storage("0", 2), 0, {2}, {1})),
                      {{"0", "abcdefgh"}})
        .bytes;
  };
  const std::string one = "pytorch_model-00001-of-00002.bin";
  const std::string two = "pytorch_model-00002-of-00002.bin";
  write_file(folder.path() / one, shard("a"));
  write_file(folder.path() / two, shard("b"));
  const auto write_index = [&](const nlohmann::json& weight_map) {
    write_file(folder.path() / "pytorch_model.bin.index.json", nlohmann::json{{"weight_map", weight_map}}.dump());
  };
  const auto open = [&] { return Checkpoint::open(folder.path()); };
  write_index({{"a", one}, {"b", two}});
  EXPECT_EQ(open().tensors().size(), 2U);
  write_index({{"a", one}, {"b", two}, {"c", two}});
  expect_error(ErrorCode::bad_input, "lacks tensor 'c'", open);
  write_index({{"a", one}, {"b", one}});
  expect_error(ErrorCode::bad_input, "lacks tensor 'b'", open);
  write_index({{"a", "model.safetensors"}});
  expect_error(ErrorCode::bad_input, "no PyTorch file of this folder", open);
  write_index({{"a", "../" + one}});
  expect_error(ErrorCode::bad_input, "no PyTorch file of this folder", open);
  write_index({{"a", one}, {"b", two}});
  fs::remove(folder.path() / two);
  expect_error(ErrorCode::missing_input, "is not complete: '" + two + "' missing", open);
}

}  // namespace
}  // namespace pleat
