#include "esmfold/model.h"

#include <ATen/ATen.h>

#include <optional>
#include <utility>

#include "esmfold/geometry.h"
#include "esmfold/heads.h"
#include "esmfold/residue_constants.h"
#include "esmfold/structure_module.h"
#include "esmfold/tensors.h"
#include "esmfold/trunk.h"
#include "tensor/device.h"

namespace pleat {
namespace {

at::Tensor tensor_of(const std::vector<std::int64_t>& values, at::Device device) {
  return at::tensor(values, at::kLong).to(device);
}

// The rows of the residues, where there are linkers between them.
class ResidueRows {
 public:
  ResidueRows(const FoldInput& input, at::Device device) {
    if (input.linked()) rows_ = tensor_of(input.residues, device);
  }
  // x [P, ...] -> [L, ...]
  [[nodiscard]] at::Tensor of(const at::Tensor& x) const { return rows_.defined() ? x.index_select(0, rows_) : x; }
  // x [P, P, ...] -> [L, L, ...]
  [[nodiscard]] at::Tensor of_pairs(const at::Tensor& x) const {
    return rows_.defined() ? x.index_select(0, rows_).index_select(1, rows_) : x;
  }

 private:
  at::Tensor rows_;  // [L]
};

// aatype [L] -> [L, 14] uint8
at::Tensor atom_mask_of(const at::Tensor& aatype) {
  at::Tensor masks = at::empty({residue_type_count, atom14_count}, at::kByte);
  const auto& table = residue_constants().atom14_mask;
  for (std::size_t type = 0; type < table.size(); ++type) {
    for (std::size_t atom = 0; atom < atom14_count; ++atom) {
      masks[static_cast<std::int64_t>(type)][static_cast<std::int64_t>(atom)] = table[type][atom];
    }
  }
  return masks.to(aatype.device()).index_select(0, aatype);
}

}  // namespace

struct EsmFold::Parts {
  Parts(const Checkpoint& checkpoint, const Esm2Config& language_model_config, const FoldConfig& fold_config,
        at::ScalarType precision, at::Device device)
      : Parts(checkpoint, language_model_config, fold_config, Loader(checkpoint, precision, device),
              Loader(checkpoint, at::kFloat, device)) {}
  Parts(const Checkpoint& checkpoint, const Esm2Config& language_model_config, const FoldConfig& fold_config,
        const Loader& load, const Loader& load_float32);

  // The sequence state that every pass starts from: [P, c_s].
  [[nodiscard]] at::Tensor embed(const at::Tensor& states, const at::Tensor& aatype, const FoldTrace& trace) const;
  // One pass, in place; s and z are the pass before's, zeros at first.
  [[nodiscard]] BackboneState pass(const at::Tensor& s_0, at::Tensor& s, at::Tensor& z, const at::Tensor& bins,
                                   const at::Tensor& residue_index, const FoldRequest& request,
                                   const FoldTrace& trace) const;
  [[nodiscard]] FoldOutput finish(const BackboneState& state, const at::Tensor& s, const at::Tensor& z,
                                  const FoldInput& input, const FoldRequest& request, const FoldTrace& trace) const;

  FoldConfig config;
  Esm2 language_model;
  at::Tensor mix;                // [layers + 1], on the processor
  LayerNorm states_norm;         // of the language model's mixed states
  Linear states_in;              // D -> c_s
  Linear states_out;             // c_s -> c_s
  at::Tensor residue_embedding;  // [23, c_s], undefined without embed_aa
  Trunk trunk;
  Linear single_projection;  // c_s -> the structure module's width
  Linear pair_projection;    // C -> the structure module's pair width
  StructureModule structure_module;
  Heads heads;
};

EsmFold::Parts::Parts(const Checkpoint& checkpoint, const Esm2Config& language_model_config,
                      const FoldConfig& fold_config, const Loader& load, const Loader& load_float32)
    : config(fold_config),
      language_model(checkpoint, language_model_config, load.precision(),
                     esmfold_tensor_specs(language_model_config, fold_config), esmfold_benign_tensors(), load.device()),
      mix(load.tensor("esm_s_combine", at::kFloat).cpu().softmax(0)),
      states_norm(load.layer_norm("esm_s_mlp.0")),
      states_in(load_float32.linear("esm_s_mlp.1")),
      states_out(load_float32.linear("esm_s_mlp.3")),
      trunk(load, config.trunk),
      single_projection(load_float32.linear("trunk.trunk2sm_s")),
      pair_projection(load_float32.linear("trunk.trunk2sm_z")),
      structure_module(load_float32, config.trunk.structure_module),
      heads(load_float32) {
  check_af2_to_esm(checkpoint.tensors(), language_model_config);
  if (config.embed_aa) residue_embedding = load.tensor("embedding.weight", at::kFloat);
  load.check();
  load_float32.check();
}

at::Tensor EsmFold::Parts::embed(const at::Tensor& states, const at::Tensor& aatype, const FoldTrace& trace) const {
  const bool without_states = config.bypass_lm || config.esm_ablate_sequence;
  const at::Tensor mixed = without_states ? at::zeros_like(states) : states;  // [P, D]
  if (trace) trace("esm_s", mixed);
  const at::Tensor y = normalize(mixed, states_norm);
  at::Tensor s = states_out(states_in(y).relu_());  // [P, c_s]
  if (config.embed_aa) s += at::embedding(residue_embedding, aatype);
  if (trace) trace("s_0", s);
  return s;
}

BackboneState EsmFold::Parts::pass(const at::Tensor& s_0, at::Tensor& s, at::Tensor& z, const at::Tensor& bins,
                                   const at::Tensor& residue_index, const FoldRequest& request,
                                   const FoldTrace& trace) const {
  const auto stop_if_asked = [&] { throw_if_stopped(request.stop); };
  s = trunk.start(s_0, s, z, bins, residue_index);
  const std::int64_t chunk = request.chunk_size > 0 ? request.chunk_size : config.trunk.pairwise_state_dim;
  trunk.run(s, z, chunk, stop_if_asked, trace);
  if (trace) trace("s", s);
  if (trace) trace("z", z);
  stop_if_asked();
  const std::int64_t width = config.trunk.structure_module.pairwise_dim;
  at::Tensor pair = at::empty({z.size(0), z.size(1), width}, z.options());
  const std::int64_t step = rows_at_once(z, 1, 64);
  for (std::int64_t begin = 0; begin < z.size(0); begin += step) {
    const at::Tensor rows = z.slice(0, begin, begin + step).flatten(0, 1);          // [rows * P, C]
    pair.slice(0, begin, begin + step).flatten(0, 1).copy_(pair_projection(rows));  // [rows * P, c_z]
  }
  return structure_module.fold_backbone(single_projection(s), pair, trace);
}

FoldOutput EsmFold::Parts::finish(const BackboneState& state, const at::Tensor& s, const at::Tensor& z,
                                  const FoldInput& input, const FoldRequest& request, const FoldTrace& trace) const {
  const at::NoTF32Guard exact;
  const at::Tensor aatype = tensor_of(input.aatype, z.device());  // [P]
  const ResidueRows rows(input, z.device());
  const Atoms atoms = structure_module.place_atoms(state, aatype, trace);
  const std::optional<ChainPairs> chains = request.interfaces && input.chains() > 1
                                               ? std::optional<ChainPairs>(std::in_place, input, z.device())
                                               : std::nullopt;
  const AlignmentConfidence alignment =
      heads.alignment(z, request.pae || chains.has_value(), chains ? &*chains : nullptr);
  FoldOutput output;
  output.positions = rows.of(atoms.positions);                // [L, 14, 3]
  output.atom_mask = atom_mask_of(rows.of(aatype));           // [L, 14]
  output.plddt = rows.of(heads.plddt(state.single, aatype));  // [L, 14]
  output.angles = rows.of(atoms.angles);                      // [L, 7, 2]
  output.mean_plddt = output.plddt.sum(at::kDouble).item<double>() / output.atom_mask.sum().item<double>();
  output.ptm = alignment.ptm;
  const at::Tensor pae = alignment.pae.defined() ? rows.of_pairs(alignment.pae) : at::Tensor();  // [L, L]
  if (request.pae) output.pae = pae;
  if (chains) {
    const AlignedErrors errors{pae, rows.of_pairs(alignment.complex_terms), rows.of_pairs(alignment.pair_terms)};
    constexpr std::int64_t alpha = 1;  // slot of C-alpha
    output.interfaces = interfaces_of(errors, output.positions.select(1, alpha), output.atom_mask.select(1, alpha),
                                      chains->lengths(), request.pae_cutoff);
  } else if (request.interfaces) {
    output.interfaces = interfaces_of_one_chain(alignment.ptm);
  }
  if (request.trunk_states) output.trunk_states = rows.of(s);  // [L, c_s]
  if (request.distances) {
    const Distances distances = heads.distances(z, request.distance_bins);
    output.distances.mean = rows.of_pairs(distances.mean);                                               // [L, L]
    output.distances.spread = rows.of_pairs(distances.spread);                                           // [L, L]
    if (request.distance_bins) output.distances.probabilities = rows.of_pairs(distances.probabilities);  // [L, L, 64]
  }
  if (request.distogram_logits) output.distogram_logits = rows.of_pairs(heads.distogram_logits(z));  // [L, L, 64]
  if (request.lm_logits) output.lm_logits = rows.of(heads.lm_logits(s));                             // [L, 23]
  return output;
}

EsmFold::EsmFold(const Checkpoint& checkpoint, const Esm2Config& language_model, const FoldConfig& config,
                 at::ScalarType precision, at::Device device)
    : parts_(std::make_unique<Parts>(checkpoint, language_model, config, precision, device)) {}
EsmFold::~EsmFold() = default;
EsmFold::EsmFold(EsmFold&&) noexcept = default;
EsmFold& EsmFold::operator=(EsmFold&&) noexcept = default;

const Esm2& EsmFold::language_model() const { return parts_->language_model; }
const FoldConfig& EsmFold::config() const { return parts_->config; }
const at::Tensor& EsmFold::mix() const { return parts_->mix; }

FoldOutput EsmFold::fold(const at::Tensor& states, const FoldInput& input, const FoldRequest& request,
                         const FoldTrace& trace) const {
  const c10::InferenceMode guard;
  const std::int64_t P = input.positions();
  const at::Tensor aatype = tensor_of(input.aatype, states.device());                // [P]
  const at::Tensor residue_index = tensor_of(input.residue_index, states.device());  // [P]
  const at::Tensor s_0 = parts_->embed(states, aatype, trace);                       // [P, c_s]
  at::Tensor s = at::zeros_like(s_0);
  at::Tensor z = at::zeros({P, P, parts_->config.trunk.pairwise_state_dim}, s_0.options());
  at::Tensor bins = at::zeros({P, P}, s_0.options().dtype(at::kLong));
  at::Tensor distances;  // [P, P], of the pass before
  for (std::int64_t pass = 0;; ++pass) {
    const FoldTrace pass_trace = prefixed(trace, "pass." + std::to_string(pass) + ".");
    const BackboneState state = parts_->pass(s_0, s, z, bins, residue_index, request, pass_trace);
    bool last = pass == request.num_recycles;
    if (!last) {
      const at::Tensor backbone = parts_->structure_module.backbone_positions(state, aatype);  // [P, 3, 3]
      at::Tensor squared = squared_distances(beta_positions(backbone));                        // [P, P]
      bins = recycle_bins(squared);
      if (request.recycle_tolerance > 0) {
        squared.sqrt_();
        last = distances.defined() &&
               (squared - distances).square_().mean().sqrt().item<double>() < request.recycle_tolerance;
        distances = squared;
      }
      if (pass_trace && !last) pass_trace("recycle_bins", bins);
    }
    if (last) {
      FoldOutput output = parts_->finish(state, s, z, input, request, pass_trace);
      output.recycles = pass;
      return output;
    }
  }
}

}  // namespace pleat
