#include "esm2/loader.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "core/stop.h"
#include "tensor/host.h"

namespace pleat {

at::Tensor Loader::tensor(const std::string& name, at::ScalarType type) const {
  throw_if_stopped(StopScope::current());
  const TensorView& view = checkpoint_.tensors().at(name);
  at::Tensor loaded = tensor_from(view, type);
  checkpoint_.drop_pages(view);
  if (!at::isfinite(loaded.sum(at::kFloat)).item<bool>() && !loaded.isfinite().all().item<bool>()) {
    throw Error(ErrorCode::bad_input, "the tensor '" + name + "' holds NaN or infinity",
                "the weights are damaged; fetch them again and check them with: pleat model verify");
  }
  return loaded.to(device_);
}

LayerNorm Loader::layer_norm(const std::string& name, const std::string& weight, const std::string& bias) const {
  return {tensor(name + "." + weight, at::kFloat), tensor(name + "." + bias, at::kFloat)};
}

Linear Loader::linear(const std::string& name, Activation activation, Rows rows) const {
  const at::Tensor bias = has(name + ".bias") ? tensor(name + ".bias", precision_) : at::Tensor();
  return {tensor(name + ".weight", precision_), bias, activation, rows};
}

Linear Loader::joined(const std::vector<std::string>& names) const {
  std::vector<at::Tensor> weights;
  std::vector<at::Tensor> biases;
  for (const std::string& name : names) {
    weights.push_back(tensor(name + ".weight", precision_));
    biases.push_back(tensor(name + ".bias", precision_));
  }
  return {at::cat(weights), at::cat(biases)};
}

}  // namespace pleat
