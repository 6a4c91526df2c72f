#include "esmfold/structure_module.h"

#include <ATen/ATen.h>

#include <cmath>

#include "ops/layer_norm/layer_norm.h"
#include "ops/point_attention/point_attention.h"
#include "tensor/device.h"

namespace pleat {
namespace {

// Pairs that are normalised and projected at once, so that they stay in the processor's cache in between.
constexpr std::int64_t pair_block = 2048;
// The same elsewhere than on the processor: enough to do, and no second pair state.
constexpr std::int64_t largest_pair_block = std::int64_t{1} << 17;

// LayerNorm(single + update). `single` [P, c] is changed.
at::Tensor add_and_normalise(at::Tensor& single, const at::Tensor& update, const LayerNorm& norm) {
  return add_layer_norm(single, update, norm.weight, norm.bias, fold_norm_eps, at::kFloat);
}

// The layers one after the other. x [P, c] -> [P, c]
at::Tensor through(const std::vector<Linear>& layers, at::Tensor x) {
  for (const Linear& layer : layers) x = layer(x);
  return x;
}

void emit(const FoldTrace& trace, const std::string& name, const at::Tensor& value) {
  if (trace) trace(name, value);
}

}  // namespace

StructureModule::StructureModule(const Loader& loader, const StructureModuleConfig& config, const std::string& prefix)
    : config_(config),
      single_norm_(loader.layer_norm(prefix + "layer_norm_s")),
      pair_norm_(loader.layer_norm(prefix + "layer_norm_z")),
      input_(loader.linear(prefix + "linear_in")),
      attention_in_(loader.joined({prefix + "ipa.linear_q", prefix + "ipa.linear_kv", prefix + "ipa.linear_q_points",
                                   prefix + "ipa.linear_kv_points"})),
      attention_bias_(loader.linear(prefix + "ipa.linear_b")),
      attention_out_(loader.linear(prefix + "ipa.linear_out")),
      attention_norm_(loader.layer_norm(prefix + "layer_norm_ipa")),
      transition_norm_(loader.layer_norm(prefix + "transition.layer_norm")),
      backbone_update_(loader.linear(prefix + "bb_update.linear")),
      angles_in_(loader.linear(prefix + "angle_resnet.linear_in")),
      angles_initial_(loader.linear(prefix + "angle_resnet.linear_initial")),
      angles_out_(loader.linear(prefix + "angle_resnet.linear_out")) {
  // Half of w_C gamma of algorithm 22, line 7, with gamma = softplus of what is learned.
  const double points = static_cast<double>(config.num_qk_points);
  point_weights_ = 0.5 * std::sqrt(1.0 / (3 * (points * 9.0 / 2))) *
                   at::softplus(loader.tensor(prefix + "ipa.head_weights", at::kFloat));
  for (std::int64_t i = 0; i < config.num_transition_layers; ++i) {
    const std::string layer = prefix + "transition.layers." + std::to_string(i) + ".linear_";
    transitions_.push_back({{loader.linear(layer + "1", Activation::relu), loader.linear(layer + "2", Activation::relu),
                             loader.linear(layer + "3")}});
  }
  for (std::int64_t i = 0; i < config.num_resnet_blocks; ++i) {
    const std::string layer = prefix + "angle_resnet.layers." + std::to_string(i) + ".linear_";
    angle_blocks_.push_back({{loader.linear(layer + "1", Activation::relu), loader.linear(layer + "2")}});
  }
}

at::Tensor StructureModule::normalise_pair(at::Tensor& pair) const {
  const std::int64_t length = pair.size(0);
  const std::int64_t heads = config_.num_heads_ipa;
  at::Tensor rows = pair.view({length * length, config_.pairwise_dim});  // [P * P, c_z]
  at::Tensor bias = at::empty({heads, length, length}, pair.options());  // [H, P, P]
  const at::Tensor columns = bias.view({heads, length * length});        // [H, P * P]
  const std::int64_t step = rows_at_once(rows, pair_block, largest_pair_block);
  for (std::int64_t begin = 0, end = 0; begin < rows.size(0); begin = end) {
    // No block has fewer rows than a row's bits can depend on.
    end = begin + 2 * step > rows.size(0) ? rows.size(0) : begin + step;
    at::Tensor block = rows.slice(0, begin, end);                        // [block, c_z]
    const at::Tensor normed = add_and_normalise(block, {}, pair_norm_);  // [block, c_z]
    block.copy_(normed);
    at::Tensor out = columns.slice(1, begin, end);  // [H, block]
    at::mul_out(out, attention_bias_(normed).t(), at::scalar_tensor(std::sqrt(1.0 / 3)));
  }
  return bias;
}

at::Tensor StructureModule::invariant_point_attention(const at::Tensor& single, const Rigid& frames,
                                                      const at::Tensor& pair, const at::Tensor& bias) const {
  return attention_out_(pleat::invariant_point_attention(
      {.shape = {config_.num_heads_ipa, config_.ipa_dim, config_.num_qk_points, config_.num_v_points},
       .projected = attention_in_(single),
       .frames = frames,
       .pair = pair,
       .bias = bias,
       .point_weight = point_weights_,
       .epsilon = config_.epsilon}));
}

at::Tensor StructureModule::transition(at::Tensor single) const {
  at::Tensor update;  // [P, c_s]
  for (const Residual& residual : transitions_) {
    if (update.defined()) single += update;
    update = through(residual.layers, single);
  }
  return add_and_normalise(single, update, transition_norm_);
}

BackboneState StructureModule::fold_backbone(const at::Tensor& single, at::Tensor pair, const FoldTrace& trace) const {
  const c10::InferenceMode guard;
  const at::NoTF32Guard exact;  // ten bits of a coordinate are a tenth of an ångström
  BackboneState state;
  state.initial = normalize(single, single_norm_);
  state.single = input_(state.initial);  // [P, c_s]
  state.frames = Rigid::identity(single.size(0), single.device());
  emit(trace, "structure.initial", state.initial);
  const at::Tensor bias = normalise_pair(pair);  // [H, P, P]
  for (std::int64_t i = 0; i < config_.num_blocks; ++i) {
    const std::string name = "structure." + std::to_string(i);
    const at::Tensor update = invariant_point_attention(state.single, state.frames, pair, bias);  // [P, c_s]
    emit(trace, name + ".ipa", update);
    state.single = transition(add_and_normalise(state.single, update, attention_norm_));
    emit(trace, name + ".state", state.single);
    state.frames = state.frames.composed_with(backbone_update_(state.single));
    if (trace) trace(name + ".frames", state.frames.scaled(config_.trans_scale_factor).to_tensor_7());
  }
  return state;
}

at::Tensor StructureModule::backbone_positions(const BackboneState& state, const at::Tensor& aatype) const {
  const c10::InferenceMode guard;
  return backbone_atoms(state.frames.scaled(config_.trans_scale_factor), aatype);
}

// Algorithm 20, lines 11 to 14, with the rectifiers of the published code, which the paper leaves out.
at::Tensor StructureModule::predict_angles(const BackboneState& state) const {
  at::Tensor hidden = angles_in_(state.single.relu()) + angles_initial_(state.initial.relu());  // [P, resnet_dim]
  for (const Residual& residual : angle_blocks_) hidden = hidden + through(residual.layers, hidden.relu());
  return angles_out_(hidden.relu()).view({-1, config_.num_angles, 2});
}

Atoms StructureModule::place_atoms(const BackboneState& state, const at::Tensor& aatype, const FoldTrace& trace) const {
  const c10::InferenceMode guard;
  const at::NoTF32Guard exact;
  Atoms atoms;
  atoms.unnormalized_angles = predict_angles(state);                                   // [P, 7, 2]
  const at::Tensor squared_length = atoms.unnormalized_angles.square().sum(-1, true);  // [P, 7, 1]
  atoms.angles = atoms.unnormalized_angles / squared_length.clamp_min(config_.epsilon).sqrt();
  const Rigid backbone = state.frames.scaled(config_.trans_scale_factor);
  atoms.sidechain_frames = torsion_angles_to_frames(backbone, atoms.angles, aatype);
  atoms.positions = frames_to_atom14(atoms.sidechain_frames, aatype);
  emit(trace, "structure.angles", atoms.angles);
  emit(trace, "structure.unnormalized_angles", atoms.unnormalized_angles);
  emit(trace, "structure.sidechain_frames", atoms.sidechain_frames);
  return atoms;
}

}  // namespace pleat
