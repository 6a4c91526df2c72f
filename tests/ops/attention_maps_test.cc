#include "ops/attention_maps/attention_maps.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "compare.h"
#include "kernel_tables.h"
#include "tensor/device.h"

namespace pleat {
namespace {

const std::vector<std::int64_t> seqlens{0, 3, 105, 138, 338};

TEST(AttentionMaps, EqualTheReferenceAndLeaveAttentionAsItIs) {
  EachKernelTable()([] {
    for (const auto& [type, bound] : {std::pair{at::kFloat, 3e-6}, std::pair{at::kBFloat16, 5e-3}}) {
      for (const auto& [heads, head_dim] : {std::pair<std::int64_t, std::int64_t>{4, 16}, {1, 24}, {5, 64}}) {
        SCOPED_TRACE(testing::Message() << at::toString(type) << " head_dim " << head_dim);
        const auto rotary = RotaryTable::make(200, RotaryTable::frequencies(head_dim));
        const at::Tensor qkv = (random_tensor({340, 3, heads, head_dim}, 5) * 1.5).to(type);
        const AttentionInput input{qkv, &seqlens, &rotary};
        const MappedAttention actual = attention_with_maps(input);
        const MappedAttention expected = attention_with_maps_reference(input);
        EXPECT_TRUE(at::equal(actual.context, attention(input)));
        ASSERT_EQ(actual.maps.size(), expected.maps.size());
        for (std::size_t s = 0; s < actual.maps.size(); ++s) {
          EXPECT_EQ(actual.maps[s].scalar_type(), at::kFloat);
          EXPECT_EQ(actual.maps[s].sizes(), expected.maps[s].sizes());
          EXPECT_LT(relative_error(actual.maps[s], expected.maps[s]), bound);
          EXPECT_GE(actual.maps[s].min().item<float>(), 0);
          EXPECT_LE(actual.maps[s].max().item<float>(), 1);
        }
      }
    }
  });
}

TEST(AttentionMaps, ByGeneralOperationsTheyAreTheSameToTheLastDigits) {
  const auto rotary = RotaryTable::make(200, RotaryTable::frequencies(16));
  const at::Tensor qkv = random_tensor({340, 3, 4, 16}, 6);
  const TokenPlaces places = TokenPlaces::make(seqlens, 340, rotary, at::kCPU);
  const AttentionInput input{qkv, &seqlens, &rotary, &places};
  const at::Tensor before = qkv.clone();
  use_general_operations(true);
  const MappedAttention actual = attention_with_maps(input);
  use_general_operations(false);
  EXPECT_FALSE(actual.context.defined());
  EXPECT_TRUE(at::equal(qkv, before));
  const MappedAttention expected = attention_with_maps_reference(input);
  for (std::size_t s = 0; s < expected.maps.size(); ++s) {
    EXPECT_LT(relative_error(actual.maps[s], expected.maps[s]), 3e-6);
  }
}

TEST(AttentionMaps, DoNotDependOnBatchMates) {
  EachKernelTable()([] {
    const auto rotary = RotaryTable::make(200, RotaryTable::frequencies(24));
    const at::Tensor qkv = random_tensor({340, 3, 3, 24}, 11);
    const MappedAttention together = attention_with_maps({qkv, &seqlens, &rotary});
    for (std::size_t s = 0; s < together.maps.size(); ++s) {
      const std::vector<std::int64_t> alone{0, seqlens[s + 1] - seqlens[s]};
      const at::Tensor own = qkv.slice(0, seqlens[s], seqlens[s + 1]).contiguous();
      EXPECT_TRUE(at::equal(attention_with_maps({own, &alone, &rotary}).maps.front(), together.maps[s]));
    }
  });
}

}  // namespace
}  // namespace pleat
