// Triangular multiplication by the kernels beside this file, and cuBLAS's batched product between them.
#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>

#include <memory>

#include "cuda/ops.h"
#include "ops/cuda/tensors.h"
#include "ops/triangle_multiplication/kernels.h"

namespace pleat::cuda {
namespace {

namespace kernels = triangle_multiplication;
constexpr std::int64_t channels = 128;

// The weights as the kernels take them.
class Held {
 public:
  explicit Held(const TriangleMultiplicationWeights& w)
      : norm_in_(contiguous(w.norm_in)),
        norm_out_(contiguous(w.norm_out)),
        projections_(packed({w.a, w.a_gate, w.b, w.b_gate}, {.spread_columns = true})),
        projection_biases_(at::cat({w.a.bias, w.a_gate.bias, w.b.bias, w.b_gate.bias})),
        outputs_(packed({w.out, w.gate}, {.spread_rows = true, .spread_columns = true})),
        output_biases_(at::cat({w.out.bias, w.gate.bias})) {}
  [[nodiscard]] kernels::Weights pointers() const {
    return {pointers_of(norm_in_),      pointers_of(norm_out_),
            operand_data(projections_), projection_biases_.const_data_ptr<float>(),
            operand_data(outputs_),     output_biases_.const_data_ptr<float>()};
  }

 private:
  static at::Tensor packed(const std::vector<Projection>& parts, const Packing& packing) {
    std::vector<at::Tensor> operands;
    for (const Projection& part : parts) operands.push_back(packed_operand(part.weight, packing));
    return at::cat(operands);
  }

  LayerNorm norm_in_;
  LayerNorm norm_out_;
  at::Tensor projections_;
  at::Tensor projection_biases_;
  at::Tensor outputs_;
  at::Tensor output_biases_;
};

void update(at::Tensor& z, const Held& weights, Triangle triangle, const Gpu& gpu) {
  TORCH_CHECK(z.is_contiguous(), "triangular multiplication of a pair state that is not contiguous");
  const c10::DeviceGuard guard(z.device());
  const int length = static_cast<int>(z.size(0));
  const std::int64_t stride = kernels::stride_of(length);
  const at::Tensor ab = at::empty({2, channels, stride, stride}, z.options().dtype(at::kBFloat16));
  const cudaStream_t stream = stream_of(z);
  const kernels::Weights w = weights.pointers();
  check_launch(kernels::project(z.const_data_ptr<float>(), w, mutable_operand_data(ab), length, gpu, stream),
               "triangle_multiplication::project");
  const at::Tensor a = ab.select(0, 0);
  const at::Tensor b = ab.select(0, 1);
  const at::Tensor x = triangle == Triangle::outgoing ? at::bmm(a, b.transpose(1, 2))  // [C, stride, stride]
                                                      : at::bmm(a.transpose(1, 2), b);
  check_launch(kernels::finish(operand_data(x), z.mutable_data_ptr<float>(), w, length, gpu, stream),
               "triangle_multiplication::finish");
}

}  // namespace

PairUpdate make_triangle_multiplication(const TriangleMultiplicationWeights& weights, Triangle triangle) {
  const Gpu gpu = gpu_of(weights.out.weight);
  const bool shape_suits = weights.out.weight.sizes() == at::IntArrayRef{channels, channels};
  if (!uses_kernels("triangle_multiplication", shape_suits, kernels::suits(gpu))) return {};
  const auto held = std::make_shared<const Held>(weights);
  return [held, triangle, gpu](at::Tensor& z) { update(z, *held, triangle, gpu); };
}

}  // namespace pleat::cuda
