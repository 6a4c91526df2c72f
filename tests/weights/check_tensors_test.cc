#include "model_files.h"
#include "weights/checkpoint.h"

namespace pleat {
namespace {

TensorView tensor(DType dtype, std::vector<std::int64_t> shape) {
  return {.dtype = dtype, .shape = std::move(shape), .data = {}};
}

TEST(CheckTensors, AcceptsAnExactFitInAnyFloatType) {
  const std::map<std::string, TensorView> tensors{
      {"a", tensor(DType::float32, {2, 3})}, {"b", tensor(DType::float16, {4})}, {"c", tensor(DType::bfloat16, {})}};
  EXPECT_NO_THROW(check_tensors(tensors, {{"a", {2, 3}}, {"b", {4}}, {"c", {}}}, {}));
}

TEST(CheckTensors, NamesEveryProblemAtOnce) {
  const std::map<std::string, TensorView> tensors{{"shape", tensor(DType::float32, {2, 3})},
                                                  {"type", tensor(DType::int64, {4})},
                                                  {"extra", tensor(DType::float32, {1})}};
  const std::string message = expect_error(ErrorCode::bad_input, "do not fit the model", [&] {
    check_tensors(tensors, {{"shape", {3, 2}}, {"type", {4}}, {"gone", {7, 8}}, {"gone.too", {}}}, {});
  });
  EXPECT_THAT(message, testing::HasSubstr("2 missing"));
  EXPECT_THAT(message, testing::HasSubstr("'gone' [7, 8]"));
  EXPECT_THAT(message, testing::HasSubstr("'gone.too' []"));
  EXPECT_THAT(message, testing::HasSubstr("1 unexpected"));
  EXPECT_THAT(message, testing::HasSubstr("'extra'"));
  EXPECT_THAT(message, testing::HasSubstr("'shape' is [2, 3] and should be [3, 2]"));
  EXPECT_THAT(message, testing::HasSubstr("'type' is int64 and should be floating point"));
}

TEST(CheckTensors, TablesOfIndicesAreInt64) {
  const std::vector<TensorSpec> specs{{"table", {22}, NumberKind::integer}};
  EXPECT_NO_THROW(check_tensors({{"table", tensor(DType::int64, {22})}}, specs, {}));
  for (const DType wrong : {DType::float32, DType::uint8}) {
    expect_error(ErrorCode::bad_input, "and should be int64",
                 [&] { check_tensors({{"table", tensor(wrong, {22})}}, specs, {}); });
  }
}

TEST(CheckTensors, BenignNamesMatchAsAWhole) {
  const std::map<std::string, TensorView> tensors{{"layer.0.inv_freq", tensor(DType::float32, {8})}};
  EXPECT_NO_THROW(check_tensors(tensors, {}, {R"(layer\.\d+\.inv_freq)"}));
  expect_error(ErrorCode::bad_input, "1 unexpected", [&] { check_tensors(tensors, {}, {"inv_freq"}); });
}

TEST(CheckTensors, ALongListIsCutAndCounted) {
  std::vector<TensorSpec> specs;
  for (int i = 0; i < 53; ++i) specs.push_back({"tensor." + std::to_string(100 + i), {1}});
  const std::string message = expect_error(ErrorCode::bad_input, "53 missing", [&] { check_tensors({}, specs, {}); });
  EXPECT_THAT(message, testing::HasSubstr("'tensor.119'"));
  EXPECT_THAT(message, testing::Not(testing::HasSubstr("'tensor.120'")));
  EXPECT_THAT(message, testing::HasSubstr("... and 33 more"));
}

TEST(CheckTensors, AnAbsurdNameIsUnexpectedNotACrash) {
  const std::map<std::string, TensorView> tensors{{std::string(2'000'000, 'x'), tensor(DType::float32, {1})}};
  expect_error(ErrorCode::bad_input, "1 unexpected", [&] { check_tensors(tensors, {}, {"(x|y)*"}); });
}

}  // namespace
}  // namespace pleat
