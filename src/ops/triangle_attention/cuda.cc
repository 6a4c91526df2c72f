// Triangular attention by the kernels beside this file.
#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>

#include <memory>

#include "cuda/ops.h"
#include "ops/cuda/tensors.h"
#include "ops/triangle_attention/kernels.h"

namespace pleat::cuda {
namespace {

namespace kernels = triangle_attention;

// The weights as the kernels take them.
class Held {
 public:
  explicit Held(const TriangleAttentionWeights& w)
      : norm_(contiguous(w.norm)), gate_bias_(w.gate.bias.contiguous()), out_bias_(w.out.bias.contiguous()) {
    for (const at::Tensor& matrix : {w.query, w.key, w.value, w.bias, w.gate.weight, w.out.weight}) {
      matrices_.push_back(as_operand(matrix));
    }
  }
  [[nodiscard]] kernels::Weights pointers() const {
    const auto matrix = [&](std::size_t i) { return operand_data(matrices_[i]); };
    return {matrix(0),
            matrix(1),
            matrix(2),
            matrix(3),
            matrix(4),
            matrix(5),
            pointers_of(norm_),
            gate_bias_.const_data_ptr<float>(),
            out_bias_.const_data_ptr<float>()};
  }

 private:
  std::vector<at::Tensor> matrices_;
  LayerNorm norm_;
  at::Tensor gate_bias_;
  at::Tensor out_bias_;
};

void update(at::Tensor& z, const Held& weights, Node node, const Gpu& gpu) {
  TORCH_CHECK(z.is_contiguous() && z.size(0) <= kernels::longest, "triangular attention of a pair state ", z.sizes());
  const c10::DeviceGuard guard(z.device());
  const std::int64_t n = z.size(0);
  const int length = static_cast<int>(n);
  const bool ending = node == Node::ending;
  const auto operands = z.options().dtype(at::kBFloat16);
  const at::Tensor q = at::empty({n, n, kernels::channels}, operands);                           // [L, H, L, 32]
  const at::Tensor kv = at::empty({n, n, 2 * kernels::channels}, operands);                      // [L, H, L, 64]
  const at::Tensor bias = at::empty({kernels::heads, n, kernels::stride_of(length)}, operands);  // fp16
  const at::Tensor o = at::empty({n, n, kernels::channels}, operands);                           // [L, L, C]
  const kernels::Buffers buffers{z.mutable_data_ptr<float>(), mutable_operand_data(q), mutable_operand_data(kv),
                                 mutable_operand_data(bias), mutable_operand_data(o)};
  const cudaStream_t stream = stream_of(z);
  const kernels::Weights w = weights.pointers();
  check_launch(kernels::project(buffers, w, length, ending, gpu, stream), "triangle_attention::project");
  check_launch(kernels::attend(buffers, length, gpu, stream), "triangle_attention::attend");
  check_launch(kernels::finish(buffers, w, length, ending, gpu, stream), "triangle_attention::finish");
}

}  // namespace

PairUpdate make_triangle_attention(const TriangleAttentionWeights& weights, Node node) {
  const Gpu gpu = gpu_of(weights.out.weight);
  const bool shape_suits = weights.query.sizes() == at::IntArrayRef{kernels::channels, kernels::channels} &&
                           weights.bias.size(0) == kernels::heads;
  if (!uses_kernels("triangle_attention", shape_suits, kernels::suits(gpu))) return {};
  const auto held = std::make_shared<const Held>(weights);
  return [held, node, gpu](at::Tensor& z) { update(z, *held, node, gpu); };
}

}  // namespace pleat::cuda
