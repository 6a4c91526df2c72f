// Operations whose products are of bfloat16 tiles, by AMX where this processor has it and by plain arithmetic in its
// place, against the plain references. Whole golden models by tiles are in tests/esm2 and tests/esmfold.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <functional>

#include "compare.h"
#include "ops/attention/attention.h"
#include "ops/cpu/tile_kernels.h"
#include "ops/linear/processor.h"
#include "ops/pair_transition/pair_transition.h"
#include "ops/sequence_to_pair/sequence_to_pair.h"
#include "pair_cases.h"

namespace pleat {
namespace {

// Of an update's root mean square: what the same operations may be off by on a GPU. A bfloat16 operand is off by up to
// 2e-3 of itself.
constexpr double bound = 1e-2;

double error_of(const at::Tensor& actual, const at::Tensor& expected) {
  return ((actual - expected).norm() / expected.norm()).item<double>();
}

class ByTiles : public testing::TestWithParam<const cpu::TileKernels*> {
 protected:
  void SetUp() override { cpu::use_tile_kernels(GetParam()); }
  void TearDown() override { cpu::use_tile_kernels(cpu::tile_kernels_of_the_path()); }
};

using Update = std::function<void(at::Tensor& z)>;

// That the update by tiles is the reference's within the bound, and not float32's own, which would be another way's.
void expect_tiles(const at::Tensor& z, const Update& by_tiles, const Update& in_float32, const Update& reference) {
  const auto applied = [&](const Update& update) {
    at::Tensor changed = z.clone();
    update(changed);
    return changed - z;
  };
  const at::Tensor actual = applied(by_tiles);
  EXPECT_LT(error_of(actual, applied(reference)), bound);
  EXPECT_FALSE(at::equal(actual, applied(in_float32)));
}

// body(shape, random numbers, state) for every shape.
template <class Body>
void for_every_shape(const Body& body) {
  for (const PairShape& shape : pair_shapes) {
    SCOPED_TRACE(testing::Message() << "L " << shape.length << " C " << shape.channels << " H " << shape.heads);
    const Random random(11);
    body(shape, random, random.pairs(shape));
  }
}

TEST_P(ByTiles, TriangleMultiplicationEqualsTheReference) {
  for_every_shape([](const PairShape& shape, const Random& random, const at::Tensor& z) {
    const TriangleMultiplicationWeights weights = multiplication_weights(random, shape.channels);
    for (const Triangle triangle : {Triangle::outgoing, Triangle::incoming}) {
      PairWorkspace workspace;
      const auto update = [&](at::ScalarType operands) {
        return [&, update = TriangleMultiplication(weights, triangle, operands)](at::Tensor& state) {
          update(state, shape.channels, workspace);
        };
      };
      expect_tiles(z, update(at::kBFloat16), update(at::kFloat),
                   [&](at::Tensor& state) { triangle_multiplication_reference(state, weights, triangle); });
    }
  });
}

TEST_P(ByTiles, TriangleMultiplicationGivesTheSameBitsForEveryChunk) {
  const Random random(3);
  const PairShape shape{37, 72, 1};
  const at::Tensor z = random.pairs(shape);
  const TriangleMultiplication update(multiplication_weights(random, 72), Triangle::outgoing, at::kBFloat16);
  PairWorkspace workspace;
  at::Tensor whole = z.clone();
  update(whole, 72, workspace);
  for (const std::int64_t chunk : {1, 32, 40, 64, 1000}) {
    at::Tensor chunked = z.clone();
    update(chunked, chunk, workspace);
    EXPECT_TRUE(at::equal(chunked, whole)) << "chunks of " << chunk;
  }
}

TEST_P(ByTiles, TriangleAttentionEqualsTheReference) {
  for_every_shape([](const PairShape& shape, const Random& random, const at::Tensor& z) {
    const TriangleAttentionWeights weights = attention_weights(random, shape);
    for (const Node node : {Node::starting, Node::ending}) {
      PairWorkspace workspace;
      const auto update = [&](at::ScalarType operands) {
        return
            [&, update = TriangleAttention(weights, node, operands)](at::Tensor& state) { update(state, workspace); };
      };
      expect_tiles(z, update(at::kBFloat16), update(at::kFloat),
                   [&](at::Tensor& state) { triangle_attention_reference(state, weights, node); });
    }
  });
}

TEST_P(ByTiles, PairTransitionEqualsTheReference) {
  for_every_shape([](const PairShape& shape, const Random& random, const at::Tensor& z) {
    const std::int64_t C = shape.channels;
    const PairTransitionWeights weights{random.norm(C), random.projection(4 * C, C), random.projection(C, 4 * C)};
    expect_tiles(z, PairTransition(weights, at::kBFloat16), PairTransition(weights),
                 [&](at::Tensor& state) { pair_transition_reference(state, weights); });
  });
}

TEST_P(ByTiles, SequenceToPairEqualsTheReference) {
  for_every_shape([](const PairShape& shape, const Random& random, const at::Tensor& z) {
    const SequenceToPairWeights weights{random.projection(shape.channels, shape.channels)};
    const at::Tensor qk = at::randn({shape.length, shape.channels});
    const auto update = [&](at::ScalarType operands) {
      return [&, update = SequenceToPair(weights, operands)](at::Tensor& state) { update(state, qk); };
    };
    expect_tiles(z, update(at::kBFloat16), update(at::kFloat),
                 [&](at::Tensor& state) { sequence_to_pair_reference(state, qk, weights); });
  });
}

struct Sequences {
  std::int64_t heads;
  std::int64_t head_dim;
  std::vector<std::int64_t> cu_seqlens;
};
const std::vector<Sequences> sequences = {
    {4, 16, {0, 1}},   {4, 16, {0, 3, 36, 37, 101}}, {3, 24, {0, 101, 108}}, {5, 32, {0, 2, 52}},
    {3, 64, {0, 129}}, {1, 128, {0, 31, 63, 96}},    {2, 6, {0, 5, 605}},    {2, 40, {0, 400, 412}}};

TEST_P(ByTiles, AttentionEqualsTheReferenceAndKnowsNoBatchMates) {
  for (const Sequences& shape : sequences) {
    SCOPED_TRACE(testing::Message() << "head_dim " << shape.head_dim << ", " << shape.cu_seqlens.back() << " tokens");
    const auto& cu = shape.cu_seqlens;
    const at::Tensor qkv = random_tensor({cu.back() + 5, 3, shape.heads, shape.head_dim}, 7).to(at::kBFloat16);
    const auto rotary = RotaryTable::make(1100, RotaryTable::frequencies(shape.head_dim));
    const AttentionInput input{qkv, &cu, &rotary};
    const at::Tensor actual = attention(input);
    EXPECT_LT(error_of(actual.to(at::kFloat), attention_reference(input).to(at::kFloat)), bound);
    EXPECT_TRUE(at::equal(actual.slice(0, cu.back()), at::zeros_like(actual.slice(0, cu.back()))));
    for (std::size_t s = 0; s + 1 < cu.size(); ++s) {
      const std::vector<std::int64_t> alone_cu{0, cu[s + 1] - cu[s]};
      const at::Tensor alone = attention({qkv.slice(0, cu[s], cu[s + 1]).contiguous(), &alone_cu, &rotary});
      EXPECT_TRUE(at::equal(alone, actual.slice(0, cu[s], cu[s + 1]))) << "sequence " << s;
    }
  }
}

TEST_P(ByTiles, AttentionIsNotThatInFloat32) {
  const std::vector<std::int64_t> cu{0, 70};
  const auto rotary = RotaryTable::make(70, RotaryTable::frequencies(32));
  const AttentionInput input{random_tensor({70, 3, 2, 32}, 5).to(at::kBFloat16), &cu, &rotary};
  const at::Tensor by_tiles = attention(input);
  cpu::use_tile_kernels(nullptr);
  EXPECT_FALSE(at::equal(attention(input), by_tiles));
}

TEST_P(ByTiles, ANotANumberStaysInItsSequence) {
  const auto rotary = RotaryTable::make(20, RotaryTable::frequencies(16));
  const std::vector<std::int64_t> cu{0, 20, 40};
  at::Tensor qkv = random_tensor({40, 3, 2, 16}, 3).to(at::kBFloat16);
  const at::Tensor before = attention({qkv, &cu, &rotary});
  qkv[3][0][1][2] = NAN;
  const at::Tensor after = attention({qkv, &cu, &rotary});
  EXPECT_TRUE(after[3].isnan().any().item<bool>());
  EXPECT_TRUE(at::equal(after.slice(0, 20), before.slice(0, 20)));
  EXPECT_TRUE(at::equal(after.slice(0, 4, 20), before.slice(0, 4, 20)));
}

INSTANTIATE_TEST_SUITE_P(Tiles, ByTiles, testing::ValuesIn(cpu::usable_tile_kernels()), [](const auto& kernels) {
  std::string name = kernels.param->name;
  std::erase_if(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; });
  return name;
});

}  // namespace
}  // namespace pleat
