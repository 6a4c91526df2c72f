#include "runtime/fold_results.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <cstring>
#include <limits>

#include "core/half.h"

namespace pleat {
namespace {

using testing::IsEmpty;

constexpr std::int64_t length = 3;

// A sound structure of three residues; every atom has a value of its own.
FoldOutput some_output() {
  FoldOutput output;
  output.positions = at::arange(length * 14 * 3).to(at::kFloat).view({length, 14, 3}) / 8;
  output.atom_mask = at::ones({length, 14}, at::kByte);
  output.plddt = at::arange(length * 14).to(at::kFloat).view({length, 14}) / 2;
  output.pae = at::arange(length * length).to(at::kFloat).view({length, length}) / 4;
  output.mean_plddt = 10.25;
  output.ptm = 0.5;
  output.recycles = 2;
  return output;
}

ResultLayout layout_of(DType type, bool pae) {
  ResultLayout layout;
  layout.structure = true;
  layout.pae = pae;
  layout.structure_dtype = type;
  return layout;
}

SequenceResult add(const FoldOutput& output, DType type, bool pae = true) {
  SequenceResult result;
  result.row = 9;
  result.layers.resize(1);
  result.layers[0].mean.resize(4);
  const std::vector<std::uint16_t> chain(length);
  add_structure(output, chain, layout_of(type, pae), result);
  return result;
}

std::vector<float> floats(const std::vector<std::byte>& bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

std::vector<float> floats(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.contiguous();
  return {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()};
}

TEST(AddStructure, KeepsEveryNumberInItsPlace) {
  const FoldOutput output = some_output();
  const SequenceResult result = add(output, DType::float32);
  EXPECT_EQ(result.row, 9);
  EXPECT_FALSE(result.failed);
  EXPECT_EQ(result.error_code, "");
  EXPECT_EQ(result.layers.size(), 1U);
  EXPECT_EQ(result.structure.positions, floats(output.positions));
  EXPECT_EQ(result.structure.atom_mask, std::vector<std::uint8_t>(length * 14, 1));
  EXPECT_EQ(floats(result.structure.plddt), floats(output.plddt));
  EXPECT_EQ(floats(result.structure.pae), floats(output.pae));
  EXPECT_EQ(result.structure.mean_plddt, 10.25F);
  EXPECT_EQ(result.structure.ptm, 0.5F);
  EXPECT_EQ(result.structure.recycles, 2);
}

TEST(AddStructure, TakesTensorsInAnyLayout) {
  const FoldOutput output = some_output();
  FoldOutput turned = some_output();
  turned.positions = turned.positions.permute({2, 0, 1}).contiguous().permute({1, 2, 0});
  turned.pae = turned.pae.t().contiguous().t();
  const SequenceResult result = add(turned, DType::float32);
  EXPECT_EQ(result.structure.positions, floats(output.positions));
  EXPECT_EQ(floats(result.structure.pae), floats(output.pae));
}

TEST(AddStructure, ConfidencesHaveTheTypeOfTheLayout) {
  const SequenceResult result = add(some_output(), DType::float16);
  ASSERT_EQ(result.structure.plddt.size(), length * 14 * 2U);
  EXPECT_EQ(result.structure.pae.size(), length * length * 2U);
  std::uint16_t last = 0;
  std::memcpy(&last, result.structure.plddt.data() + (length * 14 - 1) * 2, 2);
  EXPECT_EQ(float_from_half(last), 20.5F);
}

TEST(AddStructure, WithoutPaeThereIsNone) {
  FoldOutput output = some_output();
  output.pae = at::Tensor();
  const SequenceResult result = add(output, DType::float16, false);
  EXPECT_FALSE(result.failed);
  EXPECT_THAT(result.structure.pae, IsEmpty());
  EXPECT_THAT(result.structure.plddt, testing::SizeIs(length * 14 * 2));
}

TEST(AddStructure, NoNumberFailsTheSequenceAndLeavesNothing) {
  FoldOutput output = some_output();
  output.pae[2][0] = std::numeric_limits<float>::quiet_NaN();
  const SequenceResult result = add(output, DType::float16);
  EXPECT_TRUE(result.failed);
  EXPECT_EQ(result.row, 9);
  EXPECT_EQ(result.error_code, "not_finite");
  EXPECT_EQ(result.message, "PAE holds NaN or infinity");
  EXPECT_THAT(result.layers, IsEmpty());
  EXPECT_THAT(result.structure.positions, IsEmpty());
}

TEST(AddStructure, WhatLooksWrongIsNoted) {
  FoldOutput output = some_output();
  output.ptm = 0.99;  // and C-alpha atoms are 9 ångström apart
  const SequenceResult result = add(output, DType::float16);
  EXPECT_FALSE(result.failed);
  EXPECT_EQ(result.error_code, "suspicious_structure");
  EXPECT_THAT(result.message, testing::HasSubstr("2 of 2"));
  EXPECT_THAT(result.structure.positions, testing::SizeIs(length * 14 * 3));
}

}  // namespace
}  // namespace pleat
