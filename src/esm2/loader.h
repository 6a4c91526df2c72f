// From a checkpoint's tensors to a model's weights, one at a time.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "ops/layer_norm/layer_norm.h"
#include "ops/linear/linear.h"
#include "weights/checkpoint.h"

namespace pleat {

// Copies tensors out of the file one at a time, so that loading needs little more memory than the weights it keeps.
// Names must be those of check_tensors. Throws Error(bad_input) for a tensor that holds NaN or infinity and for a file
// that is being changed, and Stopped between tensors when a StopScope asks for it.
class Loader {
 public:
  // `checkpoint` must outlive the loader. `precision` is that of linear layers, `device` where the tensors go.
  Loader(const Checkpoint& checkpoint, at::ScalarType precision, at::Device device = at::kCPU);

  [[nodiscard]] at::Tensor tensor(const std::string& name, at::ScalarType type) const;
  [[nodiscard]] LayerNorm layer_norm(const std::string& name, const std::string& weight = "weight",
                                     const std::string& bias = "bias") const;
  // `name`.weight and, where there is one, `name`.bias.
  [[nodiscard]] Linear linear(const std::string& name, Activation activation = Activation::none,
                              Rows rows = Rows::packed) const;
  // Several layers of the same inputs as one, their outputs side by side.
  [[nodiscard]] Linear joined(const std::vector<std::string>& names) const;

  // Throws for what was loaded onto a GPU and holds NaN or infinity, as `tensor` does at once on the processor. A
  // model's constructor ends with it.
  void check() const;

  [[nodiscard]] bool has(const std::string& name) const { return checkpoint_.tensors().contains(name); }
  [[nodiscard]] at::ScalarType precision() const { return precision_; }
  [[nodiscard]] at::Device device() const { return device_; }

 private:
  struct Unchecked {
    std::string name;
    at::Tensor values;
    at::Tensor finite;
  };

  const Checkpoint& checkpoint_;
  at::ScalarType precision_;
  at::Device device_;
  std::shared_ptr<std::vector<Unchecked>> unchecked_ = std::make_shared<std::vector<Unchecked>>();
};

}  // namespace pleat
