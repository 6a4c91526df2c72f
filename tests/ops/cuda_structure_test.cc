// What the structure module and the sequence's attention do on a GPU, against the same on the processor.
#include <gtest/gtest.h>

#include "compare.h"
#include "cuda_row.h"
#include "ops/biased_attention/biased_attention.h"
#include "ops/layer_norm/layer_norm.h"
#include "ops/linear/linear.h"
#include "ops/point_attention/point_attention.h"
#include "rigid_motion.h"

namespace pleat {
namespace {

at::Tensor on_gpu(const at::Tensor& x) { return x.to(at::kCUDA); }
Rigid on_gpu(const Rigid& frames) {
  return {on_gpu(frames.rotations), on_gpu(frames.quaternions), on_gpu(frames.translations)};
}

// Without TF32, in float32, as the structure module computes.
class CudaStructure : public testing::Test {
 protected:
  void SetUp() override { PLEAT_SKIP_WITHOUT(at::Device(at::kCUDA)); }
};

const std::vector<std::int64_t> lengths = {1, 7, 16, 37, 64, 100, 129, 200};

TEST_F(CudaStructure, FramesAreUpdatedAsOnTheProcessor) {
  for (const std::int64_t positions : lengths) {
    at::manual_seed(31);
    const Rigid frames = random_rigid(positions);
    const at::Tensor update = at::randn({positions, 6});
    const Rigid expected = frames.composed_with(update);
    const Rigid actual = on_gpu(frames).composed_with(on_gpu(update));
    EXPECT_LT(relative_error(actual.rotations.cpu(), expected.rotations), 2e-6);
    EXPECT_LT(relative_error(actual.quaternions.cpu(), expected.quaternions), 2e-6);
    EXPECT_LT(relative_error(actual.translations.cpu(), expected.translations), 2e-6);
    // From frames that lie at the origin, which have no memory of their own for each position.
    const Rigid first = Rigid::identity(positions, at::kCUDA).composed_with(on_gpu(update));
    EXPECT_LT(relative_error(first.to_tensor_7().cpu(), Rigid::identity(positions).composed_with(update).to_tensor_7()),
              2e-6);
  }
}

TEST_F(CudaStructure, PointAttentionEqualsTheProcessors) {
  // The published shape has kernels, the other goes through ATen.
  for (const PointHeads& shape : {PointHeads{12, 16, 4, 8}, PointHeads{3, 8, 2, 4}}) {
    for (const std::int64_t positions : lengths) {
      at::manual_seed(32);
      const auto& [heads, width, query_points, value_points] = shape;
      const Rigid frames = random_rigid(positions);
      const at::Tensor projected = at::randn({positions, heads * (3 * width + 3 * (2 * query_points + value_points))});
      const at::Tensor pair = at::randn({positions, positions, 128});
      const at::Tensor bias = at::randn({heads, positions, positions});
      const at::Tensor weight = at::rand({heads}) * 0.1;
      const at::Tensor expected = invariant_point_attention({shape, projected, frames, pair, bias, weight, 1e-8});
      const Rigid d_frames = on_gpu(frames);
      const InvariantPointInput input{shape,        on_gpu(projected), d_frames, on_gpu(pair),
                                      on_gpu(bias), on_gpu(weight),    1e-8};
      const at::Tensor actual = invariant_point_attention(input);
      EXPECT_LT(relative_error(actual.cpu(), expected), 1e-5) << positions << " positions, " << heads << " heads";
      EXPECT_TRUE(at::equal(invariant_point_attention(input), actual));
    }
  }
}

TEST_F(CudaStructure, AttentionWithABiasEqualsTheReference) {
  for (const std::int64_t dim : {32, 16}) {  // of 16 there is no kernel
    for (const std::int64_t positions : lengths) {
      at::manual_seed(33);
      constexpr std::int64_t heads = 32;
      const at::Tensor qkv = at::randn({positions, heads, 3, dim}).to(at::kBFloat16);
      const at::Tensor bias = at::randn({heads, positions, positions + 3}).slice(2, 0, positions);
      const at::Tensor gate = at::randn({positions, heads * dim}).to(at::kBFloat16);
      for (const at::Tensor& given : {gate, at::Tensor()}) {
        const at::Tensor expected = biased_attention_reference(qkv.to(at::kFloat), bias, given);
        // The rows stay further apart than they are long, as the kernel before leaves them.
        const at::Tensor d_bias = at::empty({heads, positions, positions + 3}, bias.options().device(at::kCUDA))
                                      .slice(2, 0, positions)
                                      .copy_(bias);
        const at::Tensor actual = biased_attention(on_gpu(qkv), d_bias, given.defined() ? on_gpu(given) : given);
        EXPECT_LT(((actual.cpu().to(at::kFloat) - expected).norm() / expected.norm()).item<double>(), 1e-2)
            << positions << " positions, heads of " << dim;
      }
    }
  }
}

TEST_F(CudaStructure, NormAndRectifierEqualTheReferences) {
  for (const bool with_update : {true, false}) {
    const at::Tensor residual = random_tensor({37, 384}, 3) * 2 + 3;
    const at::Tensor update = with_update ? random_tensor({37, 384}, 4) : at::Tensor();
    const at::Tensor weight = random_tensor({384}, 5) * 0.2 + 1;
    const at::Tensor bias = random_tensor({384}, 6);
    at::Tensor d_residual = on_gpu(residual);
    const at::Tensor actual = add_layer_norm(d_residual, with_update ? on_gpu(update) : update, on_gpu(weight),
                                             on_gpu(bias), 1e-5, at::kFloat);
    at::Tensor h_residual = residual.clone();
    const at::Tensor expected = add_layer_norm_reference(h_residual, update, weight, bias, 1e-5, at::kFloat);
    EXPECT_TRUE(at::equal(d_residual.cpu(), h_residual));
    EXPECT_LT(relative_error(actual.cpu(), expected), 2e-6);
  }
  for (const bool with_bias : {true, false}) {
    const at::Tensor weight = random_tensor({96, 48}, 7) * 0.1;
    const at::Tensor bias = with_bias ? random_tensor({96}, 8) : at::Tensor();
    const at::Tensor x = random_tensor({37, 48}, 9);
    const at::Tensor expected = linear_reference(x, weight, bias, Activation::relu);
    EXPECT_EQ(expected.min().item<float>(), 0);
    const Linear linear(on_gpu(weight), with_bias ? on_gpu(bias) : bias, Activation::relu);
    const at::Tensor actual = linear(on_gpu(x)).cpu();
    EXPECT_LT(relative_error(actual, expected), 1e-5);
    EXPECT_EQ(actual.min().item<float>(), 0);
    // The norm after it adds it, so it comes back.
    at::Tensor sum = on_gpu(x);
    EXPECT_TRUE(at::equal(linear.add_or_return(sum, on_gpu(x)).cpu(), actual));
    EXPECT_TRUE(at::equal(sum.cpu(), x));
  }
}

}  // namespace
}  // namespace pleat
