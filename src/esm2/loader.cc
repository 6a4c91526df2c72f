#include "esm2/loader.h"

#include <ATen/ATen.h>

#include <utility>

#include "core/error.h"
#include "core/stop.h"
#include "esm2/read_tensor.h"
#include "tensor/vector_math.h"

namespace pleat {

namespace {

// Tensors whose check a GPU may still be at; more would only keep memory.
constexpr std::size_t most_unchecked = 64;

}  // namespace

Loader::Loader(const Checkpoint& checkpoint, at::ScalarType precision, at::Device device)
    : checkpoint_(checkpoint), precision_(precision), device_(device) {
  settle_vector_math();  // no pass comes before its model's weights
}

at::Tensor Loader::tensor(const std::string& name, at::ScalarType type) const {
  throw_if_stopped(StopScope::current());
  ReadTensor read = read_tensor(checkpoint_, checkpoint_.tensors().at(name), type, device_);
  unchecked_->push_back({name, read.values, std::move(read.finite)});
  if (device_.is_cpu() || unchecked_->size() >= most_unchecked) check();
  return std::move(read.values);
}

void Loader::check() const {
  if (unchecked_->empty()) return;
  const std::vector<Unchecked> tensors = std::exchange(*unchecked_, {});
  std::vector<at::Tensor> flags;
  flags.reserve(tensors.size());
  for (const Unchecked& tensor : tensors) flags.push_back(tensor.finite);
  const at::Tensor finite = at::stack(flags).cpu();
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (finite.const_data_ptr<bool>()[i] || tensors[i].values.isfinite().all().item<bool>()) continue;
    throw Error(ErrorCode::bad_input, "the tensor '" + tensors[i].name + "' holds NaN or infinity",
                "the weights are damaged; fetch them again and check them with: pleat model verify");
  }
  checkpoint_.throw_if_changed();
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
