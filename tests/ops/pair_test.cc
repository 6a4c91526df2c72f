// The operations on a pair representation against their plain references, over a table of shapes.
#include <gtest/gtest.h>

#include <array>

#include "compare.h"
#include "kernel_tables.h"
#include "ops/biased_attention/biased_attention.h"
#include "ops/pair_bias/pair_bias.h"
#include "ops/pair_transition/pair_transition.h"
#include "ops/sequence_to_pair/sequence_to_pair.h"
#include "ops/triangle_attention/triangle_attention.h"
#include "ops/triangle_multiplication/triangle_multiplication.h"
#include "pair_cases.h"

namespace pleat {
namespace {

// Relative to the largest number; sums of up to 512 products in float32.
constexpr double bound = 2e-5;

using Shape = PairShape;

// body(shape, random numbers) for every shape and instruction set.
template <class Body>
void for_every_shape(const Body& body) {
  EachKernelTable()([&] {
    for (const Shape& shape : pair_shapes) {
      SCOPED_TRACE(testing::Message() << "L " << shape.length << " C " << shape.channels << " H " << shape.heads);
      body(shape, Random(11));
    }
  });
}

TEST(TriangleMultiplication, EqualsTheReferenceForEveryShape) {
  for_every_shape([](const Shape& shape, const Random& random) {
    const TriangleMultiplicationWeights weights = multiplication_weights(random, shape.channels);
    const at::Tensor z = random.pairs(shape);
    for (const Triangle triangle : {Triangle::outgoing, Triangle::incoming}) {
      at::Tensor expected = z.clone();
      triangle_multiplication_reference(expected, weights, triangle);
      at::Tensor actual = z.clone();
      PairWorkspace workspace;
      TriangleMultiplication(weights, triangle)(actual, shape.channels, workspace);
      EXPECT_LT(relative_error(actual - z, expected - z), bound);
    }
  });
}

TEST(TriangleMultiplication, GivesTheSameBitsForEveryChunk) {
  const Random random(3);
  const Shape shape{37, 24, 1};
  const TriangleMultiplicationWeights weights = multiplication_weights(random, shape.channels);
  const at::Tensor z = random.pairs(shape);
  const TriangleMultiplication update(weights, Triangle::outgoing);
  PairWorkspace workspace;
  at::Tensor whole = z.clone();
  update(whole, 24, workspace);
  for (const std::int64_t chunk : {1, 5, 16, 23, 1000}) {
    at::Tensor chunked = z.clone();
    update(chunked, chunk, workspace);
    EXPECT_TRUE(at::equal(chunked, whole)) << "chunks of " << chunk;
  }
}

TEST(TriangleAttention, EqualsTheReferenceForEveryShape) {
  for_every_shape([](const Shape& shape, const Random& random) {
    const TriangleAttentionWeights weights = attention_weights(random, shape);
    const at::Tensor z = random.pairs(shape);
    for (const Node node : {Node::starting, Node::ending}) {
      at::Tensor expected = z.clone();
      triangle_attention_reference(expected, weights, node);
      at::Tensor actual = z.clone();
      PairWorkspace workspace;
      TriangleAttention(weights, node)(actual, workspace);
      EXPECT_LT(relative_error(actual - z, expected - z), bound);
    }
  });
}

TEST(PairTransition, EqualsTheReferenceForEveryShape) {
  for_every_shape([](const Shape& shape, const Random& random) {
    const std::int64_t C = shape.channels;
    const PairTransitionWeights weights{random.norm(C), random.projection(4 * C, C), random.projection(C, 4 * C)};
    const at::Tensor z = random.pairs(shape);
    at::Tensor expected = z.clone();
    pair_transition_reference(expected, weights);
    at::Tensor actual = z.clone();
    PairTransition{weights}(actual);
    EXPECT_LT(relative_error(actual - z, expected - z), bound);
  });
}

TEST(SequenceToPair, EqualsTheReferenceForEveryShape) {
  for_every_shape([](const Shape& shape, const Random& random) {
    const std::int64_t inner = shape.channels / 2;
    const SequenceToPairWeights weights{random.projection(shape.channels, 2 * inner)};
    const at::Tensor z = random.pairs(shape);
    const at::Tensor qk = at::randn({shape.length, 2 * inner});
    at::Tensor expected = z.clone();
    sequence_to_pair_reference(expected, qk, weights);
    at::Tensor actual = z.clone();
    SequenceToPair{weights}(actual, qk);
    EXPECT_LT(relative_error(actual - z, expected - z), bound);
  });
}

TEST(PairBias, EqualsTheReferenceForEveryShape) {
  for_every_shape([](const Shape& shape, const Random& random) {
    const LayerNorm norm = random.norm(shape.channels);
    const at::Tensor z = random.pairs(shape);
    for (const std::int64_t heads : {shape.heads, std::int64_t{32}}) {
      const at::Tensor weight = random.weight(heads, shape.channels);
      for (const bool transposed : {false, true}) {
        EXPECT_LT(
            relative_error(pair_bias(z, norm, weight, transposed), pair_bias_reference(z, norm, weight, transposed)),
            bound);
      }
    }
  });
}

TEST(BiasedAttention, EqualsTheReferenceForEveryShape) {
  for_every_shape([](const Shape& shape, const Random&) {
    const at::Tensor qkv = at::randn({shape.length, shape.heads, 3, shape.channels / shape.heads});
    const at::Tensor bias = at::randn({shape.heads, shape.length, shape.length}) * 3;
    EXPECT_LT(relative_error(biased_attention(qkv, bias), biased_attention_reference(qkv, bias)), bound);
  });
}

// Beyond 1,024 residues a tensor over three positions and four heads has more than 2^32 elements; the reference's
// 32-bit offsets then overflow. Only some rows are compared, so that the comparison stays small.
class LongSequence : public testing::Test {
 protected:
  static constexpr Shape shape{1100, 8, 2};
  static constexpr std::array<std::int64_t, 3> rows{0, 517, 1099};
  Random random{21};
  at::Tensor z = random.pairs(shape);

  static at::Tensor normalize(const at::Tensor& x, const LayerNorm& norm) {
    return at::layer_norm(x, {x.size(-1)}, norm.weight, norm.bias, 1e-5);
  }
  static at::Tensor gated(const at::Tensor& y, const Projection& value, const Projection& gate) {
    return at::linear(y, gate.weight, gate.bias).sigmoid() * at::linear(y, value.weight, value.bias);
  }
};

TEST_F(LongSequence, TriangleMultiplicationOverflowsNoIndex) {
  const TriangleMultiplicationWeights w = multiplication_weights(random, shape.channels);
  const at::Tensor y = normalize(z, w.norm_in);  // [L, L, C]
  const at::Tensor a = gated(y, w.a, w.a_gate);
  const at::Tensor b = gated(y, w.b, w.b_gate);
  for (const Triangle triangle : {Triangle::outgoing, Triangle::incoming}) {
    at::Tensor actual = z.clone();
    PairWorkspace workspace;
    TriangleMultiplication(w, triangle)(actual, shape.channels, workspace);
    for (const std::int64_t i : rows) {
      const at::Tensor x = triangle == Triangle::outgoing ? (a.select(0, i).unsqueeze(0) * b).sum(1)  // [L, C]
                                                          : (a.select(1, i).unsqueeze(1) * b).sum(0);
      const at::Tensor gate = at::linear(y[i], w.gate.weight, w.gate.bias).sigmoid();
      const at::Tensor expected = gate * at::linear(normalize(x, w.norm_out), w.out.weight, w.out.bias);
      EXPECT_LT(relative_error(actual[i] - z[i], expected), bound) << "row " << i;
    }
  }
}

TEST_F(LongSequence, TriangleAttentionOverflowsNoIndex) {
  const TriangleAttentionWeights w = attention_weights(random, shape);
  const std::int64_t dim = shape.channels / shape.heads;
  for (const Node node : {Node::starting, Node::ending}) {
    const auto oriented = [&](const at::Tensor& x) { return node == Node::starting ? x : x.transpose(0, 1); };
    at::Tensor actual = z.clone();
    PairWorkspace workspace;
    TriangleAttention(w, node)(actual, workspace);
    const at::Tensor y = normalize(oriented(z), w.norm);               // [L, L, C]
    const at::Tensor bias = at::linear(y, w.bias).permute({2, 0, 1});  // [H, L, L]
    for (const std::int64_t i : rows) {
      const auto heads = [&](const at::Tensor& weight) {
        return at::linear(y[i], weight).unflatten(1, {shape.heads, dim}).transpose(0, 1);  // [H, L, Dh]
      };
      const at::Tensor scores =
          at::matmul(heads(w.query) / std::sqrt(static_cast<double>(dim)), heads(w.key).transpose(1, 2));  // [H, L, L]
      const at::Tensor gathered = at::matmul((scores + bias).softmax(-1), heads(w.value)).transpose(0, 1).flatten(1);
      const at::Tensor gate = at::linear(y[i], w.gate.weight, w.gate.bias).sigmoid();
      const at::Tensor expected = at::linear(gate * gathered, w.out.weight, w.out.bias);  // [L, C]
      EXPECT_LT(relative_error(oriented(actual)[i] - oriented(z)[i], expected), bound) << "row " << i;
    }
  }
}

}  // namespace
}  // namespace pleat
