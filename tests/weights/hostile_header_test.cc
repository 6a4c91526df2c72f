// Every way a header can lie.
#include "model_files.h"
#include "weights/checkpoint.h"

namespace pleat {
namespace {

struct Lie {
  const char* name;
  std::string file;
  const char* text;  // in the message
};

void PrintTo(const Lie& lie, std::ostream* out) { *out << lie.name; }

std::string with_length(std::uint64_t length, const std::string& rest) {
  std::string file(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) file[i] = static_cast<char>(length >> (8 * i) & 0xff);
  return file + rest;
}

std::string entry(const std::string& fields, const std::string& data = "abcd") {
  return safetensors("{\"t\":{" + fields + "}}", data);
}

std::string shaped(const std::string& shape, const std::string& offsets) {
  return entry(R"("dtype":"U8","shape":)" + shape + R"(,"data_offsets":)" + offsets);
}

std::string pair(const std::string& first, const std::string& second, std::size_t bytes) {
  return safetensors(R"({"p":{"dtype":"U8","shape":[4],"data_offsets":)" + first +
                         R"(},"q":{"dtype":"U8","shape":[4],"data_offsets":)" + second + "}}",
                     std::string(bytes, 'x'));
}

std::vector<Lie> lies() {
  const std::string good = two_tensors();
  return {
      {"empty", "", "too short"},
      {"seven_bytes", "1234567", "too short"},
      {"huge_length", with_length(0xffffffffffffffff, "{}"), "beyond the format's limit"},
      {"length_over_limit", with_length(100'000'001, "{}"), "beyond the format's limit"},
      {"length_beyond_file", with_length(1000, "{}"), "the file ends after 2"},
      {"zero_length", with_length(0, ""), "does not begin with '{'"},
      {"not_json", safetensors("{nonsense}", ""), "not valid JSON"},
      {"cut_json", safetensors(R"({"t":)", ""), "not valid JSON"},
      {"array", safetensors("[]", ""), "does not begin with '{'"},
      {"leading_blank", safetensors(" {}", ""), "does not begin with '{'"},
      {"not_utf8", safetensors("{\"\xff\xfe\":{}}", ""), "not valid JSON"},
      {"deep_arrays", safetensors("{\"t\":" + std::string(1'000'000, '['), ""), "levels deep"},
      {"deep_objects",
       safetensors(
           "{\"t\":" +
               [] {
                 std::string text;
                 for (int i = 0; i < 200'000; ++i) text += "{\"a\":";
                 return text;
               }(),
           ""),
       "levels deep"},
      {"duplicate_tensor",
       safetensors(R"({"t":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                   R"("t":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})",
                   "abcd"),
       "'t' is given twice"},
      {"duplicate_field", entry(R"("dtype":"U8","dtype":"U8","shape":[4],"data_offsets":[0,4])"),
       "'dtype' is given twice"},
      {"metadata_no_object", safetensors(R"({"__metadata__":3})", ""), "__metadata__"},
      {"metadata_no_strings", safetensors(R"({"__metadata__":{"a":[1]}})", ""), "__metadata__"},
      {"entry_no_object", safetensors(R"({"t":7})", ""), "is not an object"},
      {"no_dtype", entry(R"("shape":[4],"data_offsets":[0,4])"), "has no dtype"},
      {"dtype_no_string", entry(R"("dtype":1,"shape":[4],"data_offsets":[0,4])"), "has no dtype"},
      {"float64", safetensors(R"({"t":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}})", "12345678"),
       "has the type 'F64'"},
      {"fp8", entry(R"("dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4])"), "has the type 'F8_E4M3'"},
      {"no_shape", entry(R"("dtype":"U8","data_offsets":[0,4])"), "has no shape"},
      {"negative_shape", shaped("[-4]", "[0,4]"), "whole numbers from 0"},
      {"fractional_shape", shaped("[4.0]", "[0,4]"), "whole numbers from 0"},
      {"shape_over_int64", shaped("[9223372036854775808]", "[0,4]"), "whole numbers from 0"},
      {"shape_over_uint64", shaped("[99999999999999999999]", "[0,4]"), "whole numbers from 0"},
      {"shape_overflow", shaped("[4294967296,4294967296]", "[0,4]"), "not what its shape and type need"},
      {"shape_wraps_to_4", shaped("[4611686018427387905,4]", "[0,4]"), "not what its shape and type need"},
      {"shape_too_large", shaped("[5]", "[0,4]"), "not what its shape and type need"},
      {"shape_too_small", shaped("[3]", "[0,4]"), "not what its shape and type need"},
      {"type_too_large", entry(R"("dtype":"F32","shape":[4],"data_offsets":[0,4])"),
       "not what its shape and type need"},
      {"no_offsets", entry(R"("dtype":"U8","shape":[4])"), "has no data_offsets"},
      {"one_offset", shaped("[4]", "[0]"), "has no data_offsets"},
      {"three_offsets", shaped("[4]", "[0,4,8]"), "has no data_offsets"},
      {"negative_offset", shaped("[4]", "[-4,0]"), "make no range"},
      {"backward_offsets", shaped("[4]", "[4,0]"), "make no range"},
      {"text_offsets", shaped("[4]", R"(["0","4"])"), "make no range"},
      {"offset_over_uint64", shaped("[4]", "[0,18446744073709551620]"), "make no range"},
      {"offset_beyond_file", shaped("[4]", "[1,5]"), "cut short"},
      {"huge_offset", shaped("[4]", "[18446744073709551611,18446744073709551615]"), "cut short"},
      {"overlap", pair("[0,4]", "[2,6]", 6), "'q' overlaps another one"},
      {"same_place", pair("[0,4]", "[0,4]", 4), "overlaps another one"},
      {"hole", pair("[0,4]", "[6,10]", 10), "hole of 2 bytes before tensor 'q'"},
      {"hole_at_start", shaped("[3]", "[1,4]"), "hole of 1 bytes before tensor 't'"},
      {"bytes_left_over", entry(R"("dtype":"U8","shape":[4],"data_offsets":[0,4])", "abcdef"),
       "2 bytes at the end belong to no tensor"},
      {"truncated", good.substr(0, good.size() - 1), "cut short"},
      {"truncated_in_header", good.substr(0, 40), "the file ends after"},
      {"long_name",
       safetensors("{\"" + std::string(5000, 'n') + R"(":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", "abcd"),
       "name of over 1000 bytes"},
  };
}

class HostileHeader : public testing::TestWithParam<Lie> {};

TEST_P(HostileHeader, IsRefusedWithTheFilesName) {
  const ScratchFolder folder;
  const std::filesystem::path file = folder.write("model.safetensors", GetParam().file);
  const std::string message =
      expect_error(ErrorCode::bad_input, GetParam().text, [&] { return Checkpoint::open(folder.path()); });
  EXPECT_THAT(message, testing::StartsWith("'" + file.string() + "'"));
  EXPECT_LT(message.size(), 500U);
}

INSTANTIATE_TEST_SUITE_P(All, HostileHeader, testing::ValuesIn(lies()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(HostileHeader, EveryCutOfAGoodFileIsRefused) {
  const std::string good = two_tensors();
  const ScratchFolder folder;
  for (std::size_t size = 0; size < good.size(); ++size) {
    write_file(folder.path() / "model.safetensors", good.substr(0, size));
    EXPECT_THROW(static_cast<void>(Checkpoint::open(folder.path())), Error) << size;
  }
}

TEST(HostileHeader, AChangedHeaderByteNeverCrashes) {
  const std::string good = two_tensors();
  const ScratchFolder folder;
  for (std::size_t i = 0; i < good.size() - 28; ++i) {
    for (const char byte : {'\0', '9', '[', '"', '\xff'}) {
      std::string bad = good;
      bad[i] = byte;
      write_file(folder.path() / "model.safetensors", bad);
      try {
        const Checkpoint checkpoint = Checkpoint::open(folder.path());
        // What is accepted must lie inside the file.
        for (const auto& [name, tensor] : checkpoint.tensors()) {
          EXPECT_EQ(tensor.data.size(), static_cast<std::size_t>(tensor.numel()) * size_of(tensor.dtype)) << name;
        }
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::bad_input) << error.what();
      }
    }
  }
}

}  // namespace
}  // namespace pleat
