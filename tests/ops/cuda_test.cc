// The operations on a GPU against their plain references on the processor.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "compare.h"
#include "cuda_row.h"
#include "ops/biased_attention/biased_attention.h"
#include "ops/contacts/contacts.h"
#include "ops/layer_norm/layer_norm.h"
#include "ops/pair_bias/pair_bias.h"
#include "ops/pair_transition/pair_transition.h"
#include "ops/sequence_to_pair/sequence_to_pair.h"
#include "pair_cases.h"
#include "ragged_rows.h"

namespace pleat {
namespace {

// float32 without TF32, relative to the largest number.
constexpr double bound = 1e-4;

at::Tensor on_gpu(const at::Tensor& x) { return x.to(at::kCUDA); }
Projection on_gpu(const Projection& p) { return {on_gpu(p.weight), on_gpu(p.bias)}; }
LayerNorm on_gpu(const LayerNorm& n) { return {on_gpu(n.weight), on_gpu(n.bias)}; }
TriangleMultiplicationWeights on_gpu(const TriangleMultiplicationWeights& w) {
  return {on_gpu(w.norm_in), on_gpu(w.norm_out), on_gpu(w.a),   on_gpu(w.a_gate),
          on_gpu(w.b),       on_gpu(w.b_gate),   on_gpu(w.out), on_gpu(w.gate)};
}
TriangleAttentionWeights on_gpu(const TriangleAttentionWeights& w) {
  return {on_gpu(w.norm),  on_gpu(w.bias), on_gpu(w.query), on_gpu(w.key),
          on_gpu(w.value), on_gpu(w.gate), on_gpu(w.out)};
}

class Cuda : public testing::Test {
 protected:
  void SetUp() override { PLEAT_SKIP_WITHOUT(at::Device(at::kCUDA)); }
};

struct TypeBound {
  at::ScalarType type;
  double bound;
};
const std::vector<TypeBound> types = {{at::kFloat, bound}, {at::kBFloat16, 1e-2}, {at::kHalf, 2e-3}};

TEST_F(Cuda, LinearEqualsTheReference) {
  for (const TypeBound& type : types) {
    for (const auto& [in, out] : {std::pair<std::int64_t, std::int64_t>{8, 8}, {48, 144}, {320, 33}, {1280, 5120}}) {
      for (const auto activation : {Activation::none, Activation::gelu}) {
        for (const bool with_bias : {false, true}) {
          const auto rounded = [&](const at::Tensor& x) { return x.to(type.type).to(at::kFloat); };
          const at::Tensor weight = rounded(random_tensor({out, in}, 1) * 0.1);
          const at::Tensor bias = with_bias ? rounded(random_tensor({out}, 2)) : at::Tensor();
          const at::Tensor x = rounded(random_tensor({37, in}, 3));
          const auto placed = [&](const at::Tensor& t) { return t.defined() ? on_gpu(t.to(type.type)) : t; };
          const Linear linear(placed(weight), placed(bias), activation);
          EXPECT_LT(relative_error(linear(placed(x)).cpu(), linear_reference(x, weight, bias, activation)), type.bound)
              << at::toString(type.type) << " " << in << "x" << out;
        }
      }
    }
  }
}

TEST_F(Cuda, ALinearRowsBitsDoNotDependOnTheOtherRows) {
  for (const TypeBound& type : types) {
    for (const auto& [in, out] : {std::pair<std::int64_t, std::int64_t>{96, 384}, {640, 1920}, {5120, 1280}}) {
      const auto placed = [&](const at::Tensor& t) { return on_gpu(t.to(type.type)); };
      const Linear linear(placed(random_tensor({out, in}, 1)), placed(random_tensor({out}, 2)));
      const at::Tensor x = placed(random_tensor({8192, in}, 3));
      const at::Tensor whole = linear(x);
      for (const std::int64_t rows : {8, 16, 24, 104, 1000, 4096}) {
        for (const std::int64_t first : {0, 1, 83}) {
          EXPECT_TRUE(
              at::equal(linear(x.slice(0, first, first + rows).contiguous()), whole.slice(0, first, first + rows)))
              << at::toString(type.type) << " " << in << "x" << out << ", " << rows << " rows from " << first;
        }
      }
    }
  }
}

TEST_F(Cuda, AttentionEqualsTheReferenceAndDoesNotDependOnBatchMates) {
  const std::vector<std::int64_t> cu{0, 1, 130, 137, 837};
  for (const TypeBound& type : types) {
    for (const auto& [heads, dim] :
         {std::pair<std::int64_t, std::int64_t>{4, 16}, {3, 24}, {20, 64}, {2, 128}, {3, 6}}) {
      SCOPED_TRACE(testing::Message() << at::toString(type.type) << " head_dim " << dim);
      const auto rotary = RotaryTable::make(700, RotaryTable::frequencies(dim));
      const at::Tensor qkv = random_tensor({845, 3, heads, dim}, 7).to(type.type);
      const TokenPlaces places = TokenPlaces::make(cu, 845, rotary, at::kCUDA);
      const at::Tensor together = attention({on_gpu(qkv), &cu, &rotary, &places});
      const at::Tensor wide = qkv.to(at::kFloat);
      EXPECT_LT(relative_error(together.cpu(), attention_reference({wide, &cu, &rotary})), type.bound);
      for (std::size_t s = 0; s + 1 < cu.size(); ++s) {
        const std::vector<std::int64_t> alone_cu{0, cu[s + 1] - cu[s]};
        const TokenPlaces alone_places = TokenPlaces::make(alone_cu, alone_cu[1], rotary, at::kCUDA);
        const at::Tensor alone = attention({on_gpu(qkv.slice(0, cu[s], cu[s + 1])), &alone_cu, &rotary, &alone_places});
        EXPECT_TRUE(at::equal(alone, together.slice(0, cu[s], cu[s + 1]))) << "sequence " << s;
      }
    }
  }
}

TEST_F(Cuda, PairOperationsEqualTheReferences) {
  for (const PairShape& shape : pair_shapes) {
    SCOPED_TRACE(testing::Message() << "L " << shape.length << " C " << shape.channels << " H " << shape.heads);
    const Random random(11);
    const std::int64_t C = shape.channels;
    const at::Tensor z = random.pairs(shape);
    PairWorkspace workspace;
    // What the operation adds on the GPU and by its reference.
    const auto compare = [&](const char* name, const auto& actual, const auto& reference) {
      at::Tensor d_z = on_gpu(z);
      actual(d_z);
      at::Tensor expected = z.clone();
      reference(expected);
      EXPECT_LT(relative_error(d_z.cpu() - z, expected - z), bound) << name;
    };
    const auto multiplication = multiplication_weights(random, C);
    for (const Triangle triangle : {Triangle::outgoing, Triangle::incoming}) {
      const TriangleMultiplication update(on_gpu(multiplication), triangle);
      compare(
          "multiplication", [&](at::Tensor& d_z) { update(d_z, 7, workspace); },
          [&](at::Tensor& h_z) { triangle_multiplication_reference(h_z, multiplication, triangle); });
    }
    const auto attention = attention_weights(random, shape);
    for (const Node node : {Node::starting, Node::ending}) {
      const TriangleAttention update(on_gpu(attention), node);
      compare(
          "attention", [&](at::Tensor& d_z) { update(d_z, workspace); },
          [&](at::Tensor& h_z) { triangle_attention_reference(h_z, attention, node); });
    }
    const PairTransitionWeights transition{random.norm(C), random.projection(4 * C, C), random.projection(C, 4 * C)};
    compare(
        "transition",
        [&](at::Tensor& d_z) {
          PairTransition({on_gpu(transition.norm), on_gpu(transition.in), on_gpu(transition.out)})(d_z);
        },
        [&](at::Tensor& h_z) { pair_transition_reference(h_z, transition); });
    const SequenceToPairWeights to_pair{random.projection(C, 2 * (C / 2))};
    const at::Tensor qk = at::randn({shape.length, 2 * (C / 2)});
    compare(
        "sequence to pair", [&](at::Tensor& d_z) { SequenceToPair({on_gpu(to_pair.out)})(d_z, on_gpu(qk)); },
        [&](at::Tensor& h_z) { sequence_to_pair_reference(h_z, qk, to_pair); });
  }
}

// What the kernels for operands in bfloat16 add, at the published widths.
class CudaKernels : public Cuda {
 protected:
  // Root mean square of the difference, relative; the same bits twice.
  template <class Actual, class Reference>
  static void compare(const std::string& name, const at::Tensor& z, const Actual& actual, const Reference& reference) {
    at::Tensor d_z = on_gpu(z);
    actual(d_z);
    at::Tensor again = on_gpu(z);
    actual(again);
    EXPECT_TRUE(at::equal(d_z, again)) << name;
    at::Tensor expected = z.clone();
    reference(expected);
    const at::Tensor added = expected - z;
    const double error = ((d_z.cpu() - expected).norm() / added.norm()).item<double>();
    EXPECT_LT(error, 1e-2) << name;
    EXPECT_GT(error, 1e-6) << name << " was computed in float32: its kernel was not used";
  }
};

const std::vector<std::int64_t> kernel_lengths = {1, 7, 16, 37, 64, 100, 129, 200};

TEST_F(CudaKernels, TrianglesEqualTheReferences) {
  for (const std::int64_t L : kernel_lengths) {
    SCOPED_TRACE(testing::Message() << "L " << L);
    const Random random(13);
    const PairShape shape{L, 128, 4};
    const at::Tensor z = random.pairs(shape);
    PairWorkspace workspace;
    const auto multiplication = multiplication_weights(random, 128);
    for (const Triangle triangle : {Triangle::outgoing, Triangle::incoming}) {
      const TriangleMultiplication update(on_gpu(multiplication), triangle, at::kBFloat16);
      compare(
          "multiplication", z, [&](at::Tensor& d_z) { update(d_z, 128, workspace); },
          [&](at::Tensor& h_z) { triangle_multiplication_reference(h_z, multiplication, triangle); });
    }
    const auto attention = attention_weights(random, shape);
    for (const Node node : {Node::starting, Node::ending}) {
      const TriangleAttention update(on_gpu(attention), node, at::kBFloat16);
      compare(
          "attention", z, [&](at::Tensor& d_z) { update(d_z, workspace); },
          [&](at::Tensor& h_z) { triangle_attention_reference(h_z, attention, node); });
    }
  }
}

TEST_F(CudaKernels, PairOperationsEqualTheReferences) {
  for (const std::int64_t L : kernel_lengths) {
    SCOPED_TRACE(testing::Message() << "L " << L);
    const Random random(14);
    const at::Tensor z = random.pairs({L, 128, 4});
    const PairTransitionWeights transition{random.norm(128), random.projection(512, 128), random.projection(128, 512)};
    const PairTransition update({on_gpu(transition.norm), on_gpu(transition.in), on_gpu(transition.out)},
                                at::kBFloat16);
    compare("transition", z, update, [&](at::Tensor& h_z) { pair_transition_reference(h_z, transition); });
    for (const std::int64_t width : {64, 128}) {
      const SequenceToPairWeights to_pair{random.projection(128, 2 * width)};
      const at::Tensor qk = at::randn({L, 2 * width});
      const SequenceToPair add({on_gpu(to_pair.out)}, at::kBFloat16);
      compare(
          "sequence to pair", z, [&](at::Tensor& d_z) { add(d_z, on_gpu(qk)); },
          [&](at::Tensor& h_z) { sequence_to_pair_reference(h_z, qk, to_pair); });
    }
    for (const std::int64_t heads : {4, 32}) {
      const LayerNorm norm = random.norm(128);
      const at::Tensor weight = random.weight(heads, 128);
      const at::Tensor bias = PairBias(on_gpu(norm), on_gpu(weight), at::kBFloat16)(on_gpu(z)).cpu();
      const at::Tensor expected = pair_bias_reference(z, norm, weight);
      EXPECT_LT(((bias - expected).norm() / expected.norm()).item<double>(), 1e-2) << heads << " heads";
    }
  }
}

// By ATen then, in float32, and the log says why.
TEST_F(CudaKernels, GiveWayWhereSwitchedOffOrOfOtherWidths) {
  for (const auto& [shape, line] :
       {std::pair<PairShape, const char*>{{17, 128, 4},
                                          "triangle_attention: not by its kernels, as PLEAT_CUDA_WITHOUT says"},
        {{17, 32, 4}, "triangle_attention: by ATen, since there is no kernel for this model's widths"}}) {
    const Random random(15);
    const auto attention = attention_weights(random, shape);
    if (shape.channels == 128) setenv("PLEAT_CUDA_WITHOUT", "gelu,triangle_attention", 1);
    const TriangleAttention update(on_gpu(attention), Node::ending, at::kBFloat16);
    unsetenv("PLEAT_CUDA_WITHOUT");
    EXPECT_THAT(load_cuda_plugin().plugin->take_notes(), testing::Contains(line));
    const at::Tensor z = random.pairs(shape);
    at::Tensor d_z = on_gpu(z);
    PairWorkspace workspace;
    update(d_z, workspace);
    at::Tensor expected = z.clone();
    triangle_attention_reference(expected, attention, Node::ending);
    EXPECT_LT(relative_error(d_z.cpu() - z, expected - z), bound);
  }
}

TEST_F(Cuda, AddLayerNormEqualsTheReference) {
  for (const at::ScalarType type : {at::kBFloat16, at::kHalf}) {
    for (const std::int64_t width : {96, 320, 480, 640, 1024, 1280, 2560, 5120}) {
      for (const bool with_update : {true, false}) {
        const at::Tensor residual = random_tensor({37, width}, 3) * 2 + 3;
        const at::Tensor update = with_update ? random_tensor({37, width}, 4).to(type) : at::Tensor();
        const at::Tensor weight = random_tensor({width}, 5) * 0.2 + 1;
        const at::Tensor bias = random_tensor({width}, 6);
        at::Tensor d_residual = on_gpu(residual);
        const at::Tensor actual =
            add_layer_norm(d_residual, with_update ? on_gpu(update) : update, on_gpu(weight), on_gpu(bias), 1e-5, type);
        at::Tensor h_residual = residual.clone();
        const at::Tensor expected = add_layer_norm_reference(h_residual, with_update ? update.to(at::kFloat) : update,
                                                             weight, bias, 1e-5, at::kFloat);
        EXPECT_TRUE(at::equal(d_residual.cpu(), h_residual)) << width;
        EXPECT_LT(relative_error(actual.cpu(), expected), type == at::kHalf ? 1e-3 : 5e-3) << width;
      }
    }
  }
}

TEST_F(Cuda, CollectRowsEqualsTheReferenceBitForBit) {
  const RaggedRows ragged;
  const KeptRows kept = ragged.on(at::kCUDA);
  for (const at::ScalarType type : {at::kFloat, at::kHalf}) {
    for (const std::int64_t width : {96, 320, 480, 640, 1280, 2560, 5120}) {
      const at::Tensor hidden = ragged.exact(width);
      const WantedRows wanted{type, true, true};
      EXPECT_EQ(device_ops(on_gpu(hidden)).collect_rows(on_gpu(hidden), kept, wanted).has_value(), width != 96);
      const CollectedRows actual = collect_rows(on_gpu(hidden), kept, wanted);
      const CollectedRows expected = collect_rows_reference(hidden, ragged.on(at::kCPU), wanted);
      for (const auto part : {&CollectedRows::rows, &CollectedRows::means}) {
        EXPECT_TRUE(at::equal((actual.*part).values.cpu(), (expected.*part).values)) << width;
        EXPECT_TRUE(at::equal((actual.*part).extents.cpu(), (expected.*part).extents)) << width;
      }
    }
  }
}

TEST_F(Cuda, AMeansBitsDoNotDependOnBatchMates) {
  for (const std::int64_t width : {96, 320, 5120}) expect_means_alone_as_in_company(at::kCUDA, width);
}

}  // namespace
}  // namespace pleat
