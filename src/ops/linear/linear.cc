#include "ops/linear/linear.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <algorithm>

#include "ops/device_ops.h"
#include "ops/pair_tasks.h"
#include "tensor/device.h"

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
// the number of rows.
bool use_onednn() {
  const bool wide = __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
                    __builtin_cpu_supports("avx512dq") != 0;
  return wide && has_onednn();
}

at::Tensor activated(at::Tensor y, Activation activation) {
  switch (activation) {
    case Activation::none: break;
    case Activation::gelu: return at::gelu_(y);
    case Activation::relu: return y.relu_();
  }
  return y;
}

at::Tensor pack(const at::Tensor& weight) {
  static const auto op = c10::Dispatcher::singleton().findSchemaOrThrow(pack_name, "").typed<PackFunction>();
  return op.call(weight, expected_rows);
}

at::Tensor packed_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, Activation activation) {
  static const auto op = c10::Dispatcher::singleton().findSchemaOrThrow(linear_name, "").typed<LinearFunction>();
  const std::optional<at::Tensor> b = bias.defined() ? std::optional(bias) : std::nullopt;
  const bool gelu = activation == Activation::gelu;
  const at::Tensor y =
      op.call(x, weight, b, gelu ? "gelu" : "none", c10::List<std::optional<at::Scalar>>(), gelu ? "none" : "");
  return gelu ? y : activated(y, activation);
}

// Our own product, where oneDNN's is not to be had: its rows are the same by construction, and unlike MKL's the weight
// is laid out once and not at every call.
at::Tensor panel_linear(const at::Tensor& x, const at::Tensor& panels, const at::Tensor& bias,
                        std::int64_t out_features, Activation activation) {
  const std::int64_t rows = x.size(0);
  const std::int64_t in = x.size(1);
  const at::Tensor contiguous = x.contiguous();  // [T, K]
  at::Tensor y = at::empty({rows, out_features}, x.options());
  cpu::LinearColumns job;
  job.x = contiguous.const_data_ptr<float>();
  job.rows = rows;
  job.in = in;
  job.out_stride = out_features;
  const auto* const h_panels = panels.const_data_ptr<float>();
  const auto* const h_bias = bias.const_data_ptr<float>();
  auto* const h_y = y.mutable_data_ptr<float>();
  // Tasks of some rows and one panel of columns; blocks of rows only where there are more threads than panels.
  const std::int64_t column_tasks = (out_features + cpu::run_length - 1) / cpu::run_length;
  const std::int64_t threads = at::get_num_threads();
  const std::int64_t row_tasks =
      std::clamp<std::int64_t>(2 * threads / column_tasks, 1, std::max<std::int64_t>(1, rows / 48));
  const std::int64_t row_step = (rows + row_tasks - 1) / row_tasks;
  for_each_task(column_tasks * row_tasks, [&](std::int64_t task, cpu::PairScratch&) {
    const std::int64_t column = task / row_tasks * cpu::run_length;
    const std::int64_t row = task % row_tasks * row_step;
    if (row >= rows) return;
    cpu::LinearColumns part = job;
    part.x += row * in;
    part.rows = std::min(row_step, rows - row);
    part.weight = h_panels + column * in;
    part.bias = h_bias + column;
    part.out = h_y + row * out_features + column;
    part.columns = std::min(cpu::run_length, out_features - column);
    cpu::kernels().linear(part);
  });
  return activated(y, activation);
}

}  // namespace

at::Tensor linear_reference(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                            Activation activation) {
  return activated(at::linear(x, weight, bias), activation);  // [T, N]
}

Linear::Linear(const at::Tensor& weight, const at::Tensor& bias, Activation activation, Rows rows)
    : activation_(activation), rows_(rows), in_features_(weight.size(1)), out_features_(weight.size(0)) {
  if (!on_processor(weight)) {
    way_ = Way::device;
    weight_ = weight.contiguous();
    bias_ = bias.defined() ? bias.contiguous() : bias;
  } else if (use_onednn()) {
    way_ = Way::onednn;
    weight_ = pack(weight.contiguous());
    bias_ = bias.defined() ? bias.contiguous() : bias;
  } else if (weight.scalar_type() == at::kFloat) {
    way_ = Way::panels;
    weight_ = panels_of(weight);
    bias_ = padded_bias(bias, out_features_);
  } else {
    way_ = Way::general;
    weight_ = weight.clone();
    bias_ = bias.defined() ? bias.contiguous() : bias;
  }
}

at::Tensor Linear::operator()(const at::Tensor& x) const {
  switch (way_) {
    case Way::onednn: return packed_linear(x, weight_, bias_, activation_);
    case Way::panels: return panel_linear(x, weight_, bias_, out_features_, activation_);
    case Way::device: return device_ops(x).linear(x, weight_, bias_, activation_, rows_);
    case Way::general: break;
  }
  return linear_reference(x, weight_, bias_, activation_);
}

void Linear::add_to(at::Tensor& sum, const at::Tensor& x) const {
  if (way_ == Way::device && device_ops(x).add_linear != nullptr) {
    device_ops(x).add_linear(sum, x, weight_, bias_, rows_);
  } else {
    sum += (*this)(x);
  }
}

}  // namespace pleat
