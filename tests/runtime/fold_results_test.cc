#include "runtime/fold_results.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <cstring>
#include <limits>

#include "core/half.h"
#include "format/interfaces.h"

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

TEST(AddStructure, KeepsTheInterfacesWhereTheyAreAskedFor) {
  FoldOutput output = some_output();
  output.atom_mask[0][13] = 0;
  output.interfaces = {.ptm = 0.25,
                       .iptm = 0.125,
                       .chain_ptm = at::arange(2).to(at::kFloat),
                       .pair_iptm = at::arange(4).to(at::kFloat).view({2, 2}),
                       .ipsae = at::arange(4, 8).to(at::kFloat).view({2, 2}),
                       .ipsae_d0chn = at::arange(8, 12).to(at::kFloat).view({2, 2}),
                       .min_pae = at::arange(12, 16).to(at::kFloat).view({2, 2}),
                       .contacts = at::arange(16, 20).to(at::kFloat).view({2, 2}).t()};
  ResultLayout layout = layout_of(DType::float32, true);
  const std::vector<std::uint16_t> chain{0, 0, 1};
  SequenceResult without;
  add_structure(output, chain, layout, without);
  EXPECT_THAT(without.extra, IsEmpty());
  layout.interfaces = true;
  SequenceResult result;
  add_structure(output, chain, layout, result);
  const StoredInterfaces found = interfaces_of(result);
  EXPECT_THAT(found.iptm, testing::ElementsAre(0.125F));
  EXPECT_THAT(found.ptm_residues, testing::ElementsAre(0.25F));
  EXPECT_THAT(found.chain_ptm, testing::ElementsAre(0, 1));
  // pLDDT of atom i is i / 2; the first chain has atoms 0 to 12 and 14 to 27, the other 28 to 41.
  EXPECT_THAT(found.chain_mean_plddt, testing::ElementsAre(testing::FloatEq(365.0F / 27 / 2), 17.25F));
  EXPECT_THAT(found.pair_iptm, testing::ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(found.ipsae_d0chn, testing::ElementsAre(8, 9, 10, 11));
  EXPECT_THAT(found.min_pae, testing::ElementsAre(12, 13, 14, 15));
  EXPECT_THAT(found.contacts, testing::ElementsAre(16, 18, 17, 19));
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
