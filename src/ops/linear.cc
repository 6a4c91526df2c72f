#include "pleat/ops/linear.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

namespace pleat {
namespace {

// oneDNN's linear layer, which ATen registers with the dispatcher but declares in no header.
constexpr const char* pack_name = "mkldnn::_reorder_linear_weight";
constexpr const char* linear_name = "mkldnn::_linear_pointwise";
// oneDNN lays a weight out for about this many rows at a time; any other number works as well.
constexpr std::int64_t expected_rows = 256;

using PackFunction = at::Tensor(const at::Tensor&, std::optional<std::int64_t>);
using LinearFunction = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                                  c10::string_view, c10::List<std::optional<at::Scalar>>,
                                  std::optional<c10::string_view>);

bool has_onednn() {
  static const bool present = at::hasMKLDNN() && c10::Dispatcher::singleton().findSchema({pack_name, ""}) &&
                              c10::Dispatcher::singleton().findSchema({linear_name, ""});
  return present;
}

// Only with these instructions does oneDNN compute in bfloat16, and only with them are a row's bits the same whatever
// the number of rows. Elsewhere ATen's general operation serves, which calls MKL: as fast there, and its rows are the
// same.
bool use_onednn() {
  const bool wide = __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
                    __builtin_cpu_supports("avx512dq") != 0;
  return wide && has_onednn();
}

at::Tensor pack(const at::Tensor& weight) {
  static const auto op = c10::Dispatcher::singleton().findSchemaOrThrow(pack_name, "").typed<PackFunction>();
  return op.call(weight, expected_rows);
}

at::Tensor packed_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, Activation activation) {
  static const auto op = c10::Dispatcher::singleton().findSchemaOrThrow(linear_name, "").typed<LinearFunction>();
  const std::optional<at::Tensor> b = bias.defined() ? std::optional(bias) : std::nullopt;
  const bool gelu = activation == Activation::gelu;
  return op.call(x, weight, b, gelu ? "gelu" : "none", c10::List<std::optional<at::Scalar>>(), gelu ? "none" : "");
}

}  // namespace

at::Tensor linear_reference(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                            Activation activation) {
  at::Tensor y = at::linear(x, weight, bias);  // [T, N]
  return activation == Activation::gelu ? at::gelu(y) : y;
}

Linear::Linear(const at::Tensor& weight, const at::Tensor& bias, Activation activation)
    : bias_(bias.defined() ? bias.contiguous() : bias),
      activation_(activation),
      packed_(use_onednn()),
      in_features_(weight.size(1)),
      out_features_(weight.size(0)) {
  weight_ = packed_ ? pack(weight.contiguous()) : weight.clone();
}

at::Tensor Linear::operator()(const at::Tensor& x) const {
  return packed_ ? packed_linear(x, weight_, bias_, activation_) : linear_reference(x, weight_, bias_, activation_);
}

}  // namespace pleat
