// The operations as devices without kernels of their own do them, by ATen's general operations in blocks, against their
// plain references. On the processor, whose ATen has the same operations.
#include "ops/general.h"

#include <gtest/gtest.h>

#include "compare.h"
#include "ops/contacts/contacts.h"
#include "ops/pair_bias/pair_bias.h"
#include "pair_cases.h"

namespace pleat {
namespace {

constexpr double bound = 2e-5;

// body(shape, random numbers, elements of a block): all at once, a few rows at a time, and one by one.
template <class Body>
void for_every_shape_and_block(const Body& body) {
  for (const PairShape& shape : pair_shapes) {
    for (const std::int64_t block : {general::usual_block, 5 * shape.length * shape.channels, std::int64_t{1}}) {
      SCOPED_TRACE(testing::Message() << "L " << shape.length << " C " << shape.channels << " block " << block);
      body(shape, Random(11), block);
    }
  }
}

TEST(GeneralTriangleMultiplication, EqualsTheReferenceForEveryBlockAndChunk) {
  for_every_shape_and_block([](const PairShape& shape, const Random& random, std::int64_t block) {
    const TriangleMultiplicationWeights weights = multiplication_weights(random, shape.channels);
    const at::Tensor z = random.pairs(shape);
    for (const Triangle triangle : {Triangle::outgoing, Triangle::incoming}) {
      at::Tensor expected = z.clone();
      triangle_multiplication_reference(expected, weights, triangle);
      for (const std::int64_t chunk : {std::int64_t{1000}, shape.channels, std::int64_t{7}}) {
        at::Tensor actual = z.clone();
        general::triangle_multiplication(actual, weights, triangle, chunk, block);
        EXPECT_LT(relative_error(actual - z, expected - z), bound) << "chunks of " << chunk;
      }
    }
  });
}

TEST(GeneralTriangleAttention, EqualsTheReferenceForEveryBlock) {
  for_every_shape_and_block([](const PairShape& shape, const Random& random, std::int64_t block) {
    const TriangleAttentionWeights weights = attention_weights(random, shape);
    const at::Tensor z = random.pairs(shape);
    for (const Node node : {Node::starting, Node::ending}) {
      at::Tensor expected = z.clone();
      triangle_attention_reference(expected, weights, node);
      at::Tensor actual = z.clone();
      general::triangle_attention(actual, weights, node, block);
      EXPECT_LT(relative_error(actual - z, expected - z), bound);
    }
  });
}

TEST(GeneralPairTransition, EqualsTheReferenceForEveryBlock) {
  for_every_shape_and_block([](const PairShape& shape, const Random& random, std::int64_t block) {
    const std::int64_t C = shape.channels;
    const PairTransitionWeights weights{random.norm(C), random.projection(4 * C, C), random.projection(C, 4 * C)};
    const at::Tensor z = random.pairs(shape);
    at::Tensor expected = z.clone();
    pair_transition_reference(expected, weights);
    at::Tensor actual = z.clone();
    general::pair_transition(actual, weights, block);
    EXPECT_LT(relative_error(actual - z, expected - z), bound);
  });
}

TEST(GeneralSequenceToPair, EqualsTheReferenceForEveryBlock) {
  for_every_shape_and_block([](const PairShape& shape, const Random& random, std::int64_t block) {
    const std::int64_t inner = shape.channels / 2;
    const SequenceToPairWeights weights{random.projection(shape.channels, 2 * inner)};
    const at::Tensor z = random.pairs(shape);
    const at::Tensor qk = at::randn({shape.length, 2 * inner});
    at::Tensor expected = z.clone();
    sequence_to_pair_reference(expected, qk, weights);
    at::Tensor actual = z.clone();
    general::sequence_to_pair(actual, qk, weights, block);
    EXPECT_LT(relative_error(actual - z, expected - z), bound);
  });
}

TEST(GeneralPairBias, EqualsTheReferenceAndServesAttention) {
  for_every_shape_and_block([](const PairShape& shape, const Random& random, std::int64_t block) {
    const LayerNorm norm = random.norm(shape.channels);
    const at::Tensor z = random.pairs(shape);
    const at::Tensor weight = random.weight(shape.heads, shape.channels);
    const at::Tensor qkv = at::randn({shape.length, shape.heads, 3, shape.channels / shape.heads});
    for (const bool transposed : {false, true}) {
      const at::Tensor expected = pair_bias_reference(z, norm, weight, transposed);
      const at::Tensor actual = general::pair_bias(z, norm, weight, transposed, block);
      EXPECT_LT(relative_error(actual, expected), bound);
      EXPECT_LT(relative_error(general::biased_attention(qkv, actual), biased_attention_reference(qkv, expected)),
                bound);
    }
  });
}

TEST(GeneralPointAttention, EqualsTheReferenceForEveryBlock) {
  for (const std::int64_t length : {1, 2, 17, 70}) {
    at::manual_seed(5);
    constexpr std::int64_t heads = 4;
    const auto points = [&](std::int64_t count) { return at::randn({length, 3, heads, count}) * 4; };
    const at::Tensor bias = at::randn({heads, length, length});
    const PointAttentionInput input{.q = at::randn({length, heads, 16}),
                                    .k = at::randn({length, heads, 16}),
                                    .v = at::randn({length, heads, 16}),
                                    .q_points = points(4),
                                    .k_points = points(4),
                                    .v_points = points(8),
                                    .pair = at::randn({length, length, 24}),
                                    .bias = bias,
                                    .point_weight = at::rand({heads}) * 0.1,
                                    .scale = 0.2};
    const PointAttentionOutput expected = point_attention_reference(input);
    for (const std::int64_t block : {general::usual_block, 5 * length * 3 * heads * 4, std::int64_t{1}}) {
      const PointAttentionOutput actual = general::point_attention(input, block);
      EXPECT_LT(relative_error(actual.values, expected.values), bound);
      EXPECT_LT(relative_error(actual.points, expected.points), bound);
      EXPECT_LT(relative_error(actual.pairs, expected.pairs), bound);
    }
  }
}

struct PackedCase {
  std::vector<std::int64_t> cu{0, 102, 105, 240};
  RotaryTable rotary;
  TokenPlaces places;
  at::Tensor qkv;
  AttentionInput input;

  // Five rows belong to no sequence.
  PackedCase(std::int64_t heads, std::int64_t head_dim, at::ScalarType type, std::uint64_t seed)
      : rotary(RotaryTable::make(140, RotaryTable::frequencies(head_dim))),
        places(TokenPlaces::make(cu, 245, rotary, at::kCPU)),
        qkv(random_tensor({245, 3, heads, head_dim}, seed).mul_(1.5).to(type)),
        input{qkv, &cu, &rotary, &places} {}
};

TEST(GeneralAttention, EqualsTheReference) {
  for (const auto& [type, most] : {std::pair{at::kFloat, 3e-6}, {at::kBFloat16, 1e-2}}) {
    for (const auto& [heads, head_dim] : {std::pair<std::int64_t, std::int64_t>{4, 16}, {1, 24}, {5, 64}, {3, 6}}) {
      const PackedCase packed(heads, head_dim, type, 7);
      const at::Tensor actual = general::attention(packed.input);
      EXPECT_EQ(actual.scalar_type(), type);
      EXPECT_LT(relative_error(actual, attention_reference(packed.input)), most);
      EXPECT_TRUE(at::equal(actual.slice(0, 240), at::zeros_like(actual.slice(0, 240))));
    }
  }
}

TEST(GeneralContacts, EqualTheReference) {
  constexpr std::int64_t layers = 3;
  for (const auto& [heads, head_dim] : {std::pair<std::int64_t, std::int64_t>{4, 16}, {5, 64}}) {
    const at::Tensor weight = random_tensor({layers * heads}, 1);
    const at::Tensor bias = random_tensor({1}, 2);
    ContactAccumulator accumulator(weight, bias, heads, PackedCase(heads, head_dim, at::kFloat, 1).cu);
    std::vector<std::vector<at::Tensor>> maps(3);
    for (std::uint64_t layer = 0; layer < layers; ++layer) {
      const PackedCase packed(heads, head_dim, at::kFloat, 10 + layer);
      EXPECT_LT(relative_error(accumulator.attention_by_maps(packed.input), attention_reference(packed.input)), 3e-6);
      for (std::int64_t s = 0; s < 3; ++s) maps[s].push_back(attention_maps_reference(packed.input, s));
    }
    for (std::int64_t s = 0; s < 3; ++s) {
      EXPECT_LT(relative_error(accumulator.contacts(s), contacts_reference(at::cat(maps[s]), weight, bias)), 3e-6);
    }
  }
}

}  // namespace
}  // namespace pleat
