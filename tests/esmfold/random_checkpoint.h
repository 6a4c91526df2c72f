// A checkpoint of random weights for the parts of the folding model behind its trunk.
#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <string>
#include <vector>

#include "esm2/loader.h"
#include "esmfold/tensors.h"
#include "weights/model_files.h"

namespace pleat {

class RandomCheckpoint {
 public:
  // Every tensor that esmfold_tensor_specs lists, but those of the trunk's blocks.
  RandomCheckpoint(const FoldConfig& config, std::uint64_t seed) : checkpoint_(write(config, seed)) {}

  [[nodiscard]] Loader loader() const { return {checkpoint_, at::kFloat}; }
  // `name`.weight and `name`.bias, applied plainly. x [..., in] -> [..., out]
  [[nodiscard]] at::Tensor linear(const std::string& name, const at::Tensor& x) const {
    return at::linear(x, loader().tensor(name + ".weight", at::kFloat), loader().tensor(name + ".bias", at::kFloat));
  }
  [[nodiscard]] at::Tensor norm(const std::string& name, const at::Tensor& x) const {
    const LayerNorm norm = loader().layer_norm(name);
    return at::layer_norm(x, {x.size(-1)}, norm.weight, norm.bias);
  }

 private:
  Checkpoint write(const FoldConfig& config, std::uint64_t seed) const {
    at::manual_seed(seed);
    Esm2Config language_model;
    language_model.hidden_size = 8;
    language_model.num_hidden_layers = 1;
    nlohmann::json header;
    std::string data;
    for (const TensorSpec& spec : esmfold_tensor_specs(language_model, config)) {
      if (spec.name == "af2_to_esm" || spec.name.starts_with("trunk.blocks.")) continue;
      at::Tensor values = at::randn(spec.shape);
      if (spec.shape.size() == 2) {
        values /= std::sqrt(static_cast<double>(spec.shape[1]));
      } else {
        values *= 0.3;
        if (spec.name.find("norm") != std::string::npos && spec.name.ends_with("weight")) values += 1;
      }
      // Small steps, so that positions stay as near to one another as residues do.
      if (spec.name.find("bb_update") != std::string::npos) values *= 0.3;
      const std::size_t begin = data.size();
      data.append(static_cast<const char*>(values.const_data_ptr()), values.nbytes());
      header[spec.name] = {{"dtype", "F32"}, {"shape", spec.shape}, {"data_offsets", {begin, data.size()}}};
    }
    write_file(folder_.path() / "config.json", "{}");
    write_file(folder_.path() / "model.safetensors", safetensors(header.dump(), data));
    return Checkpoint::open(folder_.path());
  }

  ScratchFolder folder_;
  Checkpoint checkpoint_;
};

// A folding model of small widths, no two alike.
inline FoldConfig small_fold_config() {
  FoldConfig config;
  config.lddt_head_hid_dim = 7;
  config.trunk.num_blocks = 1;
  config.trunk.sequence_state_dim = 20;
  config.trunk.pairwise_state_dim = 10;
  config.trunk.structure_module = {.sequence_dim = 24,
                                   .pairwise_dim = 11,
                                   .ipa_dim = 6,
                                   .resnet_dim = 14,
                                   .num_heads_ipa = 3,
                                   .num_qk_points = 2,
                                   .num_v_points = 5,
                                   .num_blocks = 3,
                                   .num_transition_layers = 2,
                                   .num_resnet_blocks = 2};
  return config;
}

inline at::Tensor random_aatype(std::int64_t positions) { return at::randint(0, 20, {positions}, at::kLong); }

}  // namespace pleat
