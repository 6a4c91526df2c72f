#include "ops/attention/attention.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "compare.h"
#include "kernel_tables.h"

namespace pleat {
namespace {

struct Shape {
  std::int64_t heads;
  std::int64_t head_dim;
  std::vector<std::int64_t> lengths;
};

struct TypeBound {
  at::ScalarType type;
  double bound;  // relative; bfloat16 keeps 8 bits of the inputs' and the results' digits
};

std::vector<std::int64_t> cu_seqlens_of(const std::vector<std::int64_t>& lengths) {
  std::vector<std::int64_t> cu{0};
  for (const std::int64_t length : lengths) cu.push_back(cu.back() + length);
  return cu;
}

TEST(Attention, EqualsTheReferenceForEveryShapeTypeAndInstructionSet) {
  const std::vector<Shape> shapes = {
      {4, 16, {1}},           {4, 16, {3, 33, 1, 64}}, {3, 24, {101, 7}}, {20, 32, {2, 50}},   {20, 64, {129}},
      {1, 128, {31, 32, 33}}, {2, 6, {5, 600}},        {1, 2, {17}},      {5, 40, {1100, 12}},
  };
  EachKernelTable()([&] {
    for (const TypeBound& type : {TypeBound{at::kFloat, 3e-6}, TypeBound{at::kBFloat16, 5e-3}}) {
      for (const Shape& shape : shapes) {
        SCOPED_TRACE(testing::Message() << at::toString(type.type) << " head_dim " << shape.head_dim);
        const auto cu = cu_seqlens_of(shape.lengths);
        const at::Tensor qkv = random_tensor({cu.back() + 5, 3, shape.heads, shape.head_dim}, 7).to(type.type);
        const auto rotary = RotaryTable::make(1100, RotaryTable::frequencies(shape.head_dim));
        const AttentionInput input{qkv, &cu, &rotary};
        const at::Tensor actual = attention(input);
        EXPECT_EQ(actual.scalar_type(), type.type);
        EXPECT_LT(relative_error(actual, attention_reference(input)), type.bound);
        EXPECT_TRUE(at::equal(actual.slice(0, cu.back()), at::zeros_like(actual.slice(0, cu.back()))));
      }
    }
  });
}

TEST(Attention, DoesNotDependOnBatchMates) {
  EachKernelTable()([] {
    const auto rotary = RotaryTable::make(700, RotaryTable::frequencies(24));
    const std::vector<std::int64_t> lengths = {77, 5, 700, 31};
    const auto cu = cu_seqlens_of(lengths);
    const at::Tensor qkv = random_tensor({cu.back(), 3, 3, 24}, 11);
    const at::Tensor together = attention({qkv, &cu, &rotary});
    for (std::size_t s = 0; s < lengths.size(); ++s) {
      const std::vector<std::int64_t> alone_cu{0, lengths[s]};
      const at::Tensor alone = attention({qkv.slice(0, cu[s], cu[s + 1]).contiguous(), &alone_cu, &rotary});
      EXPECT_TRUE(at::equal(alone, together.slice(0, cu[s], cu[s + 1]))) << "sequence " << s;
    }
  });
}

TEST(Attention, GivesTheRowsThatAreNeeded) {
  EachKernelTable()([] {
    const auto rotary = RotaryTable::make(700, RotaryTable::frequencies(24));
    const auto cu = cu_seqlens_of({77, 5, 700, 31});
    // The first and the last of a sequence, two in a tile, none of a sequence.
    const std::vector<std::int64_t> needed{0, 31, 32, 76, 82, 500, 501, 781};
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
      const at::Tensor qkv = random_tensor({cu.back(), 3, 3, 24}, 11).to(type);
      const at::Tensor rows = at::tensor(needed, at::kLong);
      const at::Tensor all = attention({qkv, &cu, &rotary});
      const at::Tensor some = attention({qkv, &cu, &rotary, nullptr, &needed});
      EXPECT_TRUE(at::equal(some.index_select(0, rows), all.index_select(0, rows))) << at::toString(type);
    }
  });
}

TEST(Attention, SurvivesScoresFarFromZero) {
  EachKernelTable()([] {
    const auto rotary = RotaryTable::make(40, RotaryTable::frequencies(16));
    const std::vector<std::int64_t> cu{0, 40};
    const at::Tensor qkv = random_tensor({40, 3, 2, 16}, 3) * 60.0;
    EXPECT_LT(relative_error(attention({qkv, &cu, &rotary}), attention_reference({qkv, &cu, &rotary})), 1e-4);
  });
}

TEST(Attention, ANotANumberStaysInItsSequence) {
  EachKernelTable()([] {
    const auto rotary = RotaryTable::make(20, RotaryTable::frequencies(16));
    const std::vector<std::int64_t> cu{0, 20, 40};
    at::Tensor qkv = random_tensor({40, 3, 2, 16}, 3);
    qkv[3][0][1][2] = NAN;
    const at::Tensor out = attention({qkv, &cu, &rotary});
    EXPECT_TRUE(out.slice(0, 20).isfinite().all().item<bool>());
    EXPECT_TRUE(out[3].isnan().any().item<bool>());
  });
}

TEST(RotaryTable, HoldsTheAnglesOfRoFormer) {
  const auto table = RotaryTable::make(5, RotaryTable::frequencies(4));
  EXPECT_NEAR(table.cos[3][0].item<float>(), std::cos(3.0), 1e-6);
  EXPECT_NEAR(table.sin[3][1].item<float>(), std::sin(3.0 / 100.0), 1e-6);
}

}  // namespace
}  // namespace pleat
