#include "tensor/host.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

namespace pleat {
namespace {

TEST(TensorFrom, ReadsBytesThatLieAtAnyAddress) {
  const at::Tensor original = at::arange(6, at::kFloat).view({2, 3}) - 2.5;
  for (const auto& [dtype, type] :
       {std::pair{DType::float32, at::kFloat}, {DType::float16, at::kHalf}, {DType::bfloat16, at::kBFloat16}}) {
    const std::vector<std::byte> packed = bytes_of(original, dtype);
    EXPECT_EQ(packed.size(), 6 * size_of(dtype));
    std::vector<std::byte> shifted(packed.size() + 1);
    std::memcpy(shifted.data() + 1, packed.data(), packed.size());
    const TensorView view{dtype, {2, 3}, std::span(shifted).subspan(1)};
    const at::Tensor read = tensor_from(view, at::kFloat);
    EXPECT_TRUE(at::equal(read, original.to(type).to(at::kFloat))) << name_of(dtype);
  }
}

TEST(TensorFrom, TakesTensorsWithoutElements) {
  const at::Tensor read = tensor_from({DType::float32, {0, 4}, {}}, at::kFloat);
  EXPECT_EQ(read.numel(), 0);
  EXPECT_EQ(read.size(1), 4);
}

TEST(BytesOf, GivesRowsOneAfterTheOtherWhateverTheStrides) {
  const at::Tensor columns = at::tensor({1.0, 2.0, 3.0, 4.0}, at::kFloat).view({2, 2}).t();
  const std::vector<std::byte> bytes = bytes_of(columns, DType::float32);
  std::array<float, 4> values{};
  ASSERT_EQ(bytes.size(), sizeof values);
  std::memcpy(values.data(), bytes.data(), sizeof values);
  EXPECT_EQ(values, (std::array<float, 4>{1, 3, 2, 4}));
}

}  // namespace
}  // namespace pleat
