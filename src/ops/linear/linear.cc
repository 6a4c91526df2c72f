#include "ops/linear/linear.h"

#include <ATen/ATen.h>

#include "ops/device_ops.h"
#include "ops/linear/processor.h"
#include "tensor/device.h"

namespace pleat {

at::Tensor activated(at::Tensor y, Activation activation) {
  switch (activation) {
    case Activation::none: break;
    case Activation::gelu: return at::gelu_(y);
    case Activation::relu: return y.relu_();
  }
  return y;
}

at::Tensor linear_reference(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                            Activation activation) {
  return activated(at::linear(x, weight, bias), activation);  // [T, N]
}

Linear::Linear(const at::Tensor& weight, const at::Tensor& bias, Activation activation, Rows rows)
    : activation_(activation), rows_(rows), in_features_(weight.size(1)), out_features_(weight.size(0)) {
  if (on_processor(weight)) {
    processor_ = make_processor_linear(weight, bias, activation, rows);
  } else {
    weight_ = weight.contiguous();
    bias_ = bias.defined() ? bias.contiguous() : bias;
  }
}

at::Tensor Linear::operator()(const at::Tensor& x) const {
  return processor_ ? processor_->multiply(x) : device_ops(x).linear(x, weight_, bias_, activation_, rows_);
}

void Linear::write(at::Tensor& y, const at::Tensor& x) const {
  if (processor_) {
    processor_->write(y, x);
  } else {
    y.copy_((*this)(x));
  }
}

void Linear::add_to(at::Tensor& sum, const at::Tensor& x) const {
  if (processor_) {
    processor_->add_to(sum, x);
  } else if (device_ops(x).add_linear != nullptr) {
    device_ops(x).add_linear(sum, x, weight_, bias_, rows_);
  } else {
    sum += (*this)(x);
  }
}

at::Tensor Linear::add_or_return(at::Tensor& sum, const at::Tensor& x) const {
  if (!processor_) return (*this)(x);
  processor_->add_to(sum, x);
  return {};
}

}  // namespace pleat
