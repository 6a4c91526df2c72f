#include "esmfold/trunk.h"

#include <ATen/ATen.h>

#include "ops/biased_attention/biased_attention.h"
#include "ops/pair_bias/pair_bias.h"
#include "tensor/device.h"

namespace pleat {
namespace {

Projection projection(const Loader& load, const std::string& name) {
  return {load.tensor(name + ".weight", at::kFloat), load.tensor(name + ".bias", at::kFloat)};
}

TriangleMultiplicationWeights multiplication(const Loader& load, const std::string& name) {
  return {load.layer_norm(name + "layer_norm_in"), load.layer_norm(name + "layer_norm_out"),
          projection(load, name + "linear_a_p"),   projection(load, name + "linear_a_g"),
          projection(load, name + "linear_b_p"),   projection(load, name + "linear_b_g"),
          projection(load, name + "linear_z"),     projection(load, name + "linear_g")};
}

TriangleAttentionWeights attention(const Loader& load, const std::string& name) {
  const auto weight = [&](const char* part) { return load.tensor(name + part + ".weight", at::kFloat); };
  return {load.layer_norm(name + "layer_norm"),
          weight("linear"),
          weight("mha.linear_q"),
          weight("mha.linear_k"),
          weight("mha.linear_v"),
          projection(load, name + "mha.linear_g"),
          projection(load, name + "mha.linear_o")};
}

TrunkBlock load_block(const Loader& load, const std::string& name) {
  // In either 16-bit precision: bfloat16 has float32's range, and the pair state has outliers.
  const at::ScalarType operands = load.precision() == at::kFloat ? at::kFloat : at::kBFloat16;
  const auto linear = [&](const char* part, Activation activation = Activation::none) {
    return load.linear(name + part, activation, Rows::sequence);
  };
  return {
      .pair_bias = PairBias(load.layer_norm(name + "pair_to_sequence.layernorm"),
                            load.tensor(name + "pair_to_sequence.linear.weight", at::kFloat), operands),
      .attention_norm = load.layer_norm(name + "layernorm_1"),
      .qkv = linear("seq_attention.proj"),
      .gate = linear("seq_attention.g_proj"),
      .attention_out = linear("seq_attention.o_proj"),
      .transition_norm = load.layer_norm(name + "mlp_seq.mlp.0"),
      .transition_in = linear("mlp_seq.mlp.1", Activation::relu),
      .transition_out = linear("mlp_seq.mlp.3"),
      .sequence_norm = load.layer_norm(name + "sequence_to_pair.layernorm"),
      .sequence_projection = linear("sequence_to_pair.proj"),
      .sequence_to_pair = SequenceToPair({projection(load, name + "sequence_to_pair.o_proj")}, operands),
      .multiplication_outgoing = {multiplication(load, name + "tri_mul_out."), Triangle::outgoing, operands},
      .multiplication_incoming = {multiplication(load, name + "tri_mul_in."), Triangle::incoming, operands},
      .attention_starting = {attention(load, name + "tri_att_start."), Node::starting, operands},
      .attention_ending = {attention(load, name + "tri_att_end."), Node::ending, operands},
      .pair_transition =
          PairTransition({load.layer_norm(name + "mlp_pair.mlp.0"), projection(load, name + "mlp_pair.mlp.1"),
                          projection(load, name + "mlp_pair.mlp.3")},
                         operands),
  };
}

}  // namespace

FoldTrace prefixed(const FoldTrace& trace, const std::string& prefix) {
  if (!trace) return {};
  return [&trace, prefix](std::string_view name, const at::Tensor& value) { trace(prefix + std::string(name), value); };
}

Trunk::Trunk(const Loader& loader, const TrunkConfig& config)
    : config_(config),
      precision_(loader.precision()),
      relative_positions_(loader.tensor("trunk.pairwise_positional_embedding.embedding.weight", at::kFloat)),
      recycled_distances_(loader.tensor("trunk.recycle_disto.weight", at::kFloat)),
      recycled_sequence_norm_(loader.layer_norm("trunk.recycle_s_norm")),
      recycled_pair_norm_(loader.layer_norm("trunk.recycle_z_norm")) {
  for (std::int64_t i = 0; i < config.num_blocks; ++i) {
    blocks_.push_back(load_block(loader, "trunk.blocks." + std::to_string(i) + "."));
  }
}

at::Tensor Trunk::start(const at::Tensor& s, const at::Tensor& previous_s, at::Tensor& z, const at::Tensor& bins,
                        const at::Tensor& residue_index) const {
  const std::int64_t most = config_.position_bins;
  const std::int64_t step = rows_at_once(z, 1, 64);
  for (std::int64_t begin = 0; begin < z.size(0); begin += step) {
    const std::int64_t end = std::min(begin + step, z.size(0));
    at::Tensor rows = z.slice(0, begin, end);  // [rows, P, C]
    // Row 0 of the table is for pairs that do not count; there are none here.
    const at::Tensor differences = residue_index.unsqueeze(0) - residue_index.slice(0, begin, end).unsqueeze(1);
    const at::Tensor offsets = differences.clamp(-most, most) + (most + 1);  // [rows, P]
    at::Tensor next = normalize(rows, recycled_pair_norm_);
    next += at::embedding(recycled_distances_, bins.slice(0, begin, end));
    next += at::embedding(relative_positions_, offsets);
    rows.copy_(next);
  }
  return s + normalize(previous_s, recycled_sequence_norm_);
}

at::Tensor Trunk::norm(const LayerNorm& parameters, at::Tensor& s, const at::Tensor& update) const {
  return add_layer_norm(s, update, parameters.weight, parameters.bias, fold_norm_eps, precision_);
}

at::Tensor Trunk::update_sequence(const TrunkBlock& block, at::Tensor& s, const at::Tensor& z,
                                  const FoldTrace& trace) const {
  const std::int64_t heads = config_.sequence_heads();
  const at::Tensor bias = block.pair_bias(z);  // [H, P, P]
  if (trace) trace("pair_bias", bias.permute({1, 2, 0}));
  const at::Tensor before = trace ? s.clone() : at::Tensor();
  const at::Tensor y = norm(block.attention_norm, s);  // [P, c_s]
  const at::Tensor qkv = block.qkv(y).view({s.size(0), heads, 3, config_.sequence_head_width});
  const at::Tensor attended = biased_attention(qkv, bias, block.gate(y));
  const at::Tensor update = block.attention_out.add_or_return(s, attended);
  if (trace) trace("seq_attention", update.defined() ? update : s - before);
  const at::Tensor inner = block.transition_in(norm(block.transition_norm, s, update));  // [P, 4 c_s]
  const at::Tensor last = block.transition_out.add_or_return(s, inner);
  const at::Tensor normed = norm(block.sequence_norm, s, last);  // [P, c_s]
  if (trace) trace("seq", s);
  return normed;
}

void Trunk::update_pairs(const TrunkBlock& block, const at::Tensor& normed, at::Tensor& z, std::int64_t chunk_size,
                         PairWorkspace& workspace, const FoldTrace& trace) const {
  const auto tell = [&](const char* step) {
    if (trace) trace(std::string("pair.") + step, z);
  };
  block.sequence_to_pair(z, block.sequence_projection(normed).to(at::kFloat).contiguous());  // [P, P, C]
  tell("sequence_to_pair");
  block.multiplication_outgoing(z, chunk_size, workspace);
  tell("tri_mul_out");
  block.multiplication_incoming(z, chunk_size, workspace);
  tell("tri_mul_in");
  block.attention_starting(z, workspace);
  tell("tri_att_start");
  block.attention_ending(z, workspace);
  tell("tri_att_end");
  block.pair_transition(z);
  tell("mlp_pair");
}

void Trunk::run(at::Tensor& s, at::Tensor& z, std::int64_t chunk_size, const std::function<void()>& between,
                const FoldTrace& trace) const {
  PairWorkspace workspace;
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    between();
    const FoldTrace block_trace = prefixed(trace, "block." + std::to_string(i) + ".");
    const at::Tensor normed = update_sequence(blocks_[i], s, z, block_trace);
    update_pairs(blocks_[i], normed, z, chunk_size, workspace, block_trace);
  }
}

}  // namespace pleat
