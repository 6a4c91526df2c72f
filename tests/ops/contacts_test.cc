#include "ops/contacts/contacts.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "compare.h"

namespace pleat {
namespace {

TEST(Contacts, EqualTheReferenceAndLeaveAttentionAsItIs) {
  constexpr std::int64_t layers = 3;
  for (const auto& [heads, head_dim] : {std::pair<std::int64_t, std::int64_t>{4, 16}, {1, 24}, {5, 64}}) {
    const std::vector<std::int64_t> cu{0, 102, 105, 240};
    const auto rotary = RotaryTable::make(140, RotaryTable::frequencies(head_dim));
    const at::Tensor weight = random_tensor({layers * heads}, 1);
    const at::Tensor bias = random_tensor({1}, 2);
    ContactAccumulator accumulator(weight, bias, heads, cu);
    std::vector<std::vector<at::Tensor>> maps(3);
    for (std::uint64_t layer = 0; layer < layers; ++layer) {
      const at::Tensor qkv = random_tensor({240, 3, heads, head_dim}, 10 + layer) * 1.5;
      const AttentionInput input{qkv, &cu, &rotary};
      EXPECT_TRUE(at::equal(accumulator.attention(input), attention(input)));
      for (std::int64_t s = 0; s < 3; ++s) maps[s].push_back(attention_maps_reference(input, s));
    }
    for (std::int64_t s = 0; s < 3; ++s) {
      const at::Tensor actual = accumulator.contacts(s);
      EXPECT_LT(relative_error(actual, contacts_reference(at::cat(maps[s]), weight, bias)), 3e-6);
      EXPECT_TRUE(at::equal(actual, actual.t())) << "a contact map is symmetric to the last bit";
    }
  }
}

}  // namespace
}  // namespace pleat
