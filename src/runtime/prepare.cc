#include "runtime/prepare.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "core/error.h"
#include "esm2/tensors.h"
#include "machine/precision.h"
#include "plan/fold_cost.h"
#include "runtime/outcomes.h"
#include "runtime/read_dataset.h"
#include "runtime/sequence_costs.h"
#include "sequence/shard.h"
#include "weights/locate.h"
#include "weights/registry.h"

namespace pleat {
namespace {

// Tokens of a batch of the language model: enough to keep every core busy, few enough that activations stay small.
constexpr std::int64_t automatic_tokens_per_batch = 2048;
// Fewer where sequences are folded, each of which takes seconds to minutes: results and signals are seen to after each
// batch, and the language model is a small part of the work.
constexpr std::int64_t automatic_tokens_per_fold_batch = 256;

// A GPU takes a batch whole, and has too little to do with few tokens.
constexpr std::int64_t gpu_tokens_per_batch = 16384;
constexpr std::int64_t gpu_tokens_per_fold_batch = 1024;

std::vector<std::int64_t> resolve_layers(const std::vector<std::int64_t>& wanted, std::int64_t depth) {
  std::set<std::int64_t> layers;
  for (const std::int64_t layer : wanted) {
    const std::int64_t absolute = layer < 0 ? layer + depth + 1 : layer;
    if (absolute < 0 || absolute > depth) {
      throw Error(ErrorCode::bad_manifest, fmt::format("tasks.embeddings.layers: the model has no layer {}", layer),
                  fmt::format("layers of this model go from 0 (the embedding layer) to {}, or from -1 (the last) to {}",
                              depth, -depth - 1));
    }
    layers.insert(absolute);
  }
  return {layers.begin(), layers.end()};
}

// Before anything is read: a task that the model cannot do.
void check_tasks(const Manifest& manifest, const ModelConfig& config) {
  if (manifest.tasks.structure.enabled && !config.fold) {
    std::vector<std::string_view> names;
    for (const ModelEntry& entry : model_registry()) {
      if (entry.kind == ModelKind::esmfold) names.push_back(entry.name);
    }
    throw Error(ErrorCode::bad_manifest,
                fmt::format("tasks.structure: {} is a language model, which computes no structures", manifest.model),
                fmt::format("set model to a folding model ({}), or remove tasks.structure", fmt::join(names, ", ")));
  }
  for (const auto& [task, is_on] :
       {std::pair("logits", manifest.tasks.logits), std::pair("scoring", manifest.tasks.scoring.enabled)}) {
    if (!is_on || !config.fold) continue;
    throw Error(ErrorCode::bad_manifest,
                fmt::format("tasks.{}: the language model inside {} has no head for logits", task, manifest.model),
                "take it from an ESM-2 model, such as esm2_t36_3B_UR50D, in a run of its own");
  }
}

// From 1: a map is made on the way from one hidden state to the next.
std::vector<std::int64_t> resolve_attention_layers(const std::vector<std::int64_t>& wanted, std::int64_t depth) {
  std::set<std::int64_t> layers;
  for (const std::int64_t layer : wanted) {
    const std::int64_t absolute = layer < 0 ? layer + depth + 1 : layer;
    if (absolute < 1 || absolute > depth) {
      throw Error(ErrorCode::bad_manifest,
                  fmt::format("tasks.attentions.layers: the model has no attention in a layer {}", layer),
                  fmt::format("layers of this model go from 1 to {}, or from -1 (the last) to {}", depth, -depth));
    }
    layers.insert(absolute);
  }
  return {layers.begin(), layers.end()};
}

ResultLayout make_layout(const Manifest& manifest, const ModelConfig& model, const Tokenizer& tokenizer) {
  const Esm2Config& config = model.language_model;
  const StructureTask& structure = manifest.tasks.structure;
  const EmbeddingsTask& embeddings = manifest.tasks.embeddings;
  ResultLayout layout;
  if (embeddings.enabled) {
    layout.layers = resolve_layers(embeddings.layers, config.num_hidden_layers);
    layout.per_residue = embeddings.per_residue;
    layout.mean = embeddings.mean;
    layout.bos = embeddings.bos;
  }
  layout.dtype = embeddings.dtype;
  layout.logits = manifest.tasks.logits;
  layout.contacts = manifest.tasks.contacts;
  const AttentionsTask& attentions = manifest.tasks.attentions;
  if (attentions.enabled) {
    layout.attention_layers = resolve_attention_layers(attentions.layers, config.num_hidden_layers);
  }
  layout.heads = config.num_attention_heads;
  layout.scores = manifest.tasks.scoring.enabled;
  layout.substitutions = manifest.tasks.scoring.scans();
  layout.variants = manifest.tasks.scoring.has_table();
  layout.structure = manifest.tasks.structure.enabled;
  layout.pae = layout.structure && structure.pae;
  layout.interfaces = layout.structure && structure.interfaces;
  layout.distances = layout.structure && structure.distogram;
  layout.distance_bins = layout.distances && structure.distogram_bins;
  layout.trunk_states = layout.structure && structure.trunk_states;
  layout.structure_dtype = structure.dtype;
  if (model.fold) layout.trunk_width = model.fold->trunk.sequence_state_dim;
  layout.width = config.hidden_size;
  layout.depth = config.num_hidden_layers;
  for (const char letter : tokenizer.alphabet()) layout.alphabet.emplace_back(1, letter);
  return layout;
}

// Refuses the records of sequences that cannot fit, before a weight is loaded. Those sequences leave the table, so
// that the file holds no rows for them: of contacts they might be larger than everything else. Returns the rows that
// are left; nothing where all are.
std::vector<std::int64_t> refuse_what_cannot_fit(Dataset& dataset, const Tokenizer& tokenizer, std::int64_t longest,
                                                 const std::function<bool(std::int64_t row)>& is_done,
                                                 RunObserver& observer) {
  const std::vector<std::int64_t> tokens = token_counts(dataset.sequences, tokenizer);
  std::vector<std::int64_t> left;
  for (std::int64_t row = 0; row < std::ssize(tokens); ++row) {
    if (tokens[row] <= longest || (is_done && is_done(row))) left.push_back(row);
  }
  if (left.size() == tokens.size()) return {};
  SequenceTable fitting;
  std::vector<std::int64_t> places;
  std::vector<std::int64_t> new_rows(tokens.size(), -1);
  for (const std::int64_t row : left) {
    if (dataset.shard) places.push_back(dataset.shard->sequence_places[row]);
    new_rows[row] = fitting.append_from(dataset.sequences, row);
  }
  std::int64_t refused = 0;
  for (Record& record : dataset.records) {
    if (record.sequence < 0) continue;
    const std::int64_t row = std::exchange(record.sequence, new_rows[record.sequence]);
    if (record.sequence >= 0) continue;
    ++refused;
    record.status = RecordStatus::rejected;
    record.error_code = word_of(RecordCode::does_not_fit);
    record.message = too_long_message(dataset.sequences.length(row), tokens[row], longest);
  }
  dataset.sequences = std::move(fitting);
  if (dataset.shard) dataset.shard->sequence_places = std::move(places);
  observer.warning(
      fmt::format("{} record{} with does_not_fit: too long for this machine's free memory; "
                  "/records/message says more",
                  refused, refused == 1 ? "" : "s"));
  return left;
}

Tokenizer make_tokenizer(const Manifest& manifest, const ModelConfig& config) {
  const StructureTask& structure = manifest.tasks.structure;
  return Tokenizer(config.language_model, config.fold ? Tokenizer::esmfold_letters : Tokenizer::esm2_letters,
                   structure.enabled ? structure.chain_linker : Tokenizer::usual_linker);
}

FoldRequest make_fold_request(const StructureTask& structure, std::int64_t chunk_size) {
  FoldRequest request;
  request.num_recycles = structure.num_recycles;
  request.recycle_tolerance = structure.recycle_tolerance;
  request.pae = structure.pae;
  request.interfaces = structure.interfaces;
  request.pae_cutoff = structure.pae_cutoff;
  request.distances = structure.distogram;
  request.distance_bins = structure.distogram_bins;
  request.trunk_states = structure.trunk_states;
  request.chunk_size = chunk_size;
  return request;
}

// What a relative `model` is relative to: where the user stands, where an option gave it.
std::filesystem::path place_of_model(const Manifest& manifest) {
  const bool by_option = std::ranges::any_of(
      manifest.overrides, [](const std::string& assignment) { return assignment.starts_with("model="); });
  return by_option ? std::filesystem::current_path() : manifest.folder;
}

}  // namespace

std::string too_long_message(std::int64_t residues, std::int64_t tokens, std::int64_t longest) {
  const std::int64_t positions = tokens - end_tokens;
  const std::string size = positions > residues
                               ? fmt::format("{} residues, with the linkers between chains {}", residues, positions)
                               : fmt::format("{} residues", residues);
  return fmt::format("{} do not fit into this machine's free memory with these tasks; {} would", size,
                     std::max<std::int64_t>(longest - end_tokens, 0));
}

ChosenModel choose_model(const Manifest& manifest) {
  const DeviceChoice devices = choose_devices(manifest.run.devices);
  const Precision precision = resolve_precision(manifest.run.precision, devices);
  const std::filesystem::path folder = locate_model(manifest.model, place_of_model(manifest));
  ModelConfig config = load_model_config(folder);
  check_tasks(manifest, config);
  Tokenizer tokenizer = make_tokenizer(manifest, config);
  if (manifest.tasks.scoring.enabled) static_cast<void>(tokenizer.mask());
  ResultLayout layout = make_layout(manifest, config, tokenizer);
  return {devices, precision, folder, std::move(config), std::move(tokenizer), std::move(layout)};
}

void check_heads(const Manifest& manifest, const Checkpoint& checkpoint) {
  const Esm2Parts parts = esm2_parts(checkpoint.tensors());
  const bool scores = manifest.tasks.scoring.enabled;
  if ((manifest.tasks.logits || scores) && !parts.lm_head) {
    throw Error(
        ErrorCode::bad_manifest,
        fmt::format("tasks.{}: this checkpoint has no language-model head (lm_head)", scores ? "scoring" : "logits"),
        "use a checkpoint of the masked language model, as the published ESM-2 ones are");
  }
  if (manifest.tasks.contacts && !parts.contact_head) {
    throw Error(ErrorCode::bad_manifest, "tasks.contacts: this checkpoint has no contact head (contact_head)",
                "use a checkpoint with a contact head, as the published ESM-2 ones are");
  }
}

std::int64_t token_budget(const Manifest& manifest, const std::vector<std::int64_t>& work, const DeviceChoice& devices,
                          std::int64_t longest_tokens) {
  const bool folds = manifest.tasks.structure.enabled;
  const std::int64_t usual = devices.on_gpu() ? (folds ? gpu_tokens_per_fold_batch : gpu_tokens_per_batch)
                                              : (folds ? automatic_tokens_per_fold_batch : automatic_tokens_per_batch);
  const std::int64_t all = std::accumulate(work.begin(), work.end(), std::int64_t{0});
  const std::int64_t automatic = balanced_tokens(all, devices.count(), usual);
  // No batch needs more memory than the longest sequence.
  return std::min(manifest.run.max_tokens_per_batch.value_or(automatic), longest_tokens);
}

BatchOrder batch_order(const Manifest& manifest, const DeviceChoice& devices) {
  return devices.on_gpu() && !manifest.tasks.structure.enabled ? BatchOrder::by_row : BatchOrder::longest_first;
}

PreparedJob prepare_job(const Manifest& manifest, const PrepareOptions& options, RunObserver& observer) {
  ChosenModel chosen = choose_model(manifest);
  if (!chosen.devices.note.empty()) observer.info(chosen.devices.note);
  for (const std::string& warning : chosen.devices.warnings) observer.warning(warning);
  if (manifest.run.precision == Precision::automatic && options.precision_of_auto) {
    chosen.precision = resolve_precision(*options.precision_of_auto, chosen.devices);
  }
  const Tokenizer& tokenizer = chosen.tokenizer;
  const ModelConfig& config = chosen.config;
  Dataset dataset = read_dataset(manifest, config, tokenizer, {options.shard, options.stop}, observer);
  Capacity capacity(manifest, config, chosen.layout, element_type(chosen.precision), chosen.devices);
  PreparedJob job{.model_folder = chosen.folder,
                  .config = std::move(chosen.config),
                  .tokenizer = std::move(chosen.tokenizer),
                  .precision = chosen.precision,
                  .devices = chosen.devices,
                  .layout = std::move(chosen.layout),
                  .dataset = std::move(dataset),
                  .capacity = std::move(capacity),
                  .scoring = ScoringPasses(manifest.tasks.scoring)};
  job.longest_tokens = options.longest_tokens > 0 ? options.longest_tokens : job.capacity.longest_tokens();
  job.row_keys = refuse_what_cannot_fit(job.dataset, job.tokenizer, job.longest_tokens, options.is_done, observer);
  job.tokens = token_counts(job.dataset.sequences, job.tokenizer);
  job.work = work_of(manifest, job.dataset.sequences, job.tokens);
  job.flops = costs_of(job.tokens, job.work, job.config, manifest.tasks.structure);
  job.order = batch_order(manifest, job.devices);
  return job;
}

JobPlan plan_job(const Manifest& manifest, const PreparedJob& job, const std::function<bool(std::int64_t row)>& is_done,
                 const Interruptions& interruptions) {
  std::vector<std::int64_t> tokens = job.tokens;
  std::vector<std::int64_t> work = job.work;
  for (std::size_t row = 0; row < tokens.size(); ++row) {
    if (is_done(static_cast<std::int64_t>(row))) tokens[row] = work[row] = 0;
  }
  JobPlan plan;
  plan.tokens_at_once = token_budget(manifest, work, job.devices, job.longest_tokens);
  plan.batches = plan_after(interruptions, work, job.flops, plan.tokens_at_once, job.order);
  if (!job.layout.structure) return plan;
  const StructureTask& structure = manifest.tasks.structure;
  plan.fold_request = make_fold_request(structure, job.capacity.chunk_size(plan.batches, tokens));
  plan.chain_link = {structure.chain_linker, structure.chain_gap};
  return plan;
}

}  // namespace pleat
