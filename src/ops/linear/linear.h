// y = activation(x W^T + b), the operation that nearly all of a language model's arithmetic is in.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

namespace pleat {

enum class Activation : std::uint8_t { none, gelu, relu };  // gelu: x * (1 + erf(x / sqrt(2))) / 2, the exact form

// What the rows of a call are: a device may choose an algorithm by their number only where they belong together.
enum class Rows : std::uint8_t {
  packed,    // of several sequences: a row's bits must not depend on the number of rows
  sequence,  // of one sequence
};

// y, or its activation in place.
[[nodiscard]] at::Tensor activated(at::Tensor y, Activation activation);

// The plain formula, with ATen's general operations. x [T, K], weight [N, K], bias [N] or undefined -> [T, N].
[[nodiscard]] at::Tensor linear_reference(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                          Activation activation);

class ProcessorLinear;

// The same with the weight laid out once for the device, bias and activation applied while the result is in cache.
// A row of the result does not depend on how many rows there are, as long as they are a multiple of
// PackedBatch::minimum_rows.
class Linear {
 public:
  Linear() = default;
  // weight [N, K] and bias [N], float32 or bfloat16, elsewhere than on the processor also float16, of the same type as
  // the inputs to come and on the same device. On the processor the weight is copied.
  Linear(const at::Tensor& weight, const at::Tensor& bias, Activation activation = Activation::none,
         Rows rows = Rows::packed);

  // x [T, K], contiguous -> [T, N]
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  // The same into y [T, N], contiguous and of the type of x.
  void write(at::Tensor& y, const at::Tensor& x) const;
  // sum [T, N] float32 += the layer's output, which has no activation.
  void add_to(at::Tensor& sum, const at::Tensor& x) const;
  // The same where it costs no pass over memory of its own, as on the processor; then nothing is returned. Elsewhere
  // the layer's output, for the next layer norm to add.
  [[nodiscard]] at::Tensor add_or_return(at::Tensor& sum, const at::Tensor& x) const;

  // Multiply-adds per row of x.
  [[nodiscard]] std::int64_t cost() const { return in_features_ * out_features_; }

 private:
  std::shared_ptr<const ProcessorLinear> processor_;  // or on another device:
  at::Tensor weight_;                                 // [N, K]
  at::Tensor bias_;                                   // [N], or undefined
  Activation activation_ = Activation::none;
  Rows rows_ = Rows::packed;
  std::int64_t in_features_ = 0;
  std::int64_t out_features_ = 0;
};

}  // namespace pleat
