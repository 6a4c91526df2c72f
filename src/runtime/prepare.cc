#include "prepare.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "pleat/core/error.h"
#include "pleat/plan/cost.h"
#include "pleat/runtime/device.h"
#include "pleat/runtime/machine.h"
#include "pleat/sequence/reader.h"
#include "pleat/weights/locate.h"

namespace pleat {
namespace {

// Tokens of a batch: enough to keep every core busy, few enough that activations stay small.
constexpr std::int64_t automatic_tokens_per_batch = 2048;
// Of the memory that is free at the start, how much activations may take; the rest is for the weights' transit, the
// page cache and other programs.
constexpr double memory_share = 0.8;
// What the libraries, the threads' stacks and the heap's own slack take besides.
constexpr double memory_reserve = 256e6;

at::ScalarType resolve_precision(Precision precision) {
  switch (precision) {
    case Precision::automatic:
    case Precision::float32: return at::kFloat;
    case Precision::bfloat16:
      if (cpu_has_bfloat16()) return at::kBFloat16;
      throw Error(ErrorCode::no_device, "run.precision is bf16, and this processor has no bfloat16 arithmetic",
                  "set run.precision to fp32 or auto");
    case Precision::float16:
      throw Error(ErrorCode::no_device, "run.precision is fp16, which is not computed on a CPU",
                  "set run.precision to fp32, bf16 or auto");
  }
  throw Error(ErrorCode::internal, "unknown precision");
}

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

ResultLayout make_layout(const Manifest& manifest, const Esm2Config& config, const Tokenizer& tokenizer) {
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
  layout.width = config.hidden_size;
  layout.depth = config.num_hidden_layers;
  for (const char letter : tokenizer.alphabet()) layout.alphabet.emplace_back(1, letter);
  return layout;
}

Dataset read_dataset(const Manifest& manifest, const Tokenizer& tokenizer, RunObserver& observer) {
  std::vector<std::filesystem::path> files;
  files.reserve(manifest.inputs.size());
  for (const std::string& input : manifest.inputs) files.push_back(manifest.resolve(input));
  ReadOptions options;
  options.alphabet = tokenizer.alphabet();
  options.strict = manifest.policy.residues == ResiduePolicy::strict;
  options.max_length = manifest.policy.max_length;
  options.share_duplicates = manifest.policy.duplicates == DuplicatePolicy::share;
  Dataset dataset = read_inputs(files, options);
  for (const std::string& warning : dataset.warnings) observer.warning(warning);
  std::map<std::string, std::int64_t> notes;
  for (const Record& record : dataset.records) {
    if (!record.error_code.empty()) ++notes[record.error_code];
  }
  for (const auto& [code, count] : notes) {
    observer.warning(
        fmt::format("{} record{} with {}; /records/message says more", count, count == 1 ? "" : "s", code));
  }
  observer.info(fmt::format("read {} records, {} unique sequences, {} residues", dataset.records.size(),
                            dataset.sequences.size(), dataset.sequences.offsets().back()));
  return dataset;
}

// The tokens of the longest sequence whose activations fit beside the weights.
std::int64_t longest_of_this_machine(const Manifest& manifest, const ModelShape& shape, const ResultLayout& layout,
                                     at::ScalarType precision) {
  const double available = std::max(0.0, available_memory() - memory_reserve);
  const double weights = weight_bytes(shape, precision == at::kFloat ? 4 : 2);
  if (weights > available) {
    throw Error(ErrorCode::retry,
                fmt::format("the weights of {} take {:.1f} GB of memory, and {:.1f} GB are free", manifest.model,
                            weights / 1e9, available / 1e9),
                "ask for more memory, or take a smaller model");
  }
  const KeptOutputs kept{static_cast<std::int64_t>(layout.layers.size()), layout.logits, layout.contacts};
  return longest_that_fits(shape, kept, memory_share * (available - weights), at::get_num_threads());
}

std::vector<std::int64_t> token_counts(const SequenceTable& sequences) {
  std::vector<std::int64_t> tokens;
  for (std::int64_t row = 0; row < sequences.size(); ++row) {
    tokens.push_back(Tokenizer::token_count(sequences.length(row), sequences.chains(row)));
  }
  return tokens;
}

// Refuses the records of sequences that cannot fit, before a weight is loaded. Those sequences leave the table, so
// that the file holds no rows for them: of contacts they might be larger than everything else.
void refuse_what_cannot_fit(Dataset& dataset, std::int64_t longest, RunObserver& observer) {
  const std::vector<std::int64_t> tokens = token_counts(dataset.sequences);
  if (std::ranges::all_of(tokens, [&](std::int64_t count) { return count <= longest; })) return;
  SequenceTable fitting;
  std::vector<std::int64_t> new_rows;
  for (std::int64_t row = 0; row < dataset.sequences.size(); ++row) {
    const bool fits = tokens[row] <= longest;
    new_rows.push_back(fits ? fitting.append(dataset.sequences.residues(row), dataset.sequences.chain(row)) : -1);
  }
  std::int64_t refused = 0;
  for (Record& record : dataset.records) {
    if (record.sequence < 0) continue;
    const std::int64_t row = std::exchange(record.sequence, new_rows[record.sequence]);
    if (record.sequence >= 0) continue;
    ++refused;
    record.status = RecordStatus::rejected;
    record.error_code = "does_not_fit";
    record.message = fmt::format("{} residues do not fit into this machine's free memory with these tasks; {} would",
                                 dataset.sequences.length(row), std::max<std::int64_t>(longest - 2, 0));
  }
  dataset.sequences = std::move(fitting);
  observer.warning(
      fmt::format("{} record{} with does_not_fit: too long for this machine's free memory; "
                  "/records/message says more",
                  refused, refused == 1 ? "" : "s"));
}

}  // namespace

PreparedJob prepare_job(const Manifest& manifest, RunObserver& observer) {
  if (manifest.tasks.structure.enabled) {
    throw Error(ErrorCode::bad_manifest, "tasks.structure: this model computes no structures",
                "remove tasks.structure; embeddings, logits and contacts can be asked for");
  }
  check_devices(manifest.run.devices);
  const at::ScalarType precision = resolve_precision(manifest.run.precision);
  const std::filesystem::path folder = locate_model(manifest.model, manifest.folder);
  Esm2Config config = load_esm2_config(folder);
  Tokenizer tokenizer(config);
  ResultLayout layout = make_layout(manifest, config, tokenizer);
  Dataset dataset = read_dataset(manifest, tokenizer, observer);

  const ModelShape shape{config.hidden_size, config.num_hidden_layers, config.num_attention_heads,
                         config.intermediate_size};
  const std::int64_t longest = longest_of_this_machine(manifest, shape, layout, precision);
  refuse_what_cannot_fit(dataset, longest, observer);
  std::vector<std::int64_t> tokens = token_counts(dataset.sequences);
  // No batch needs more memory than the longest sequence.
  const std::int64_t budget = manifest.run.max_tokens_per_batch.value_or(automatic_tokens_per_batch);
  std::vector<Batch> batches = plan_batches(tokens, shape, std::min(budget, longest));
  return {folder,
          std::move(config),
          std::move(tokenizer),
          precision,
          shape,
          std::move(layout),
          std::move(dataset),
          std::move(tokens),
          std::move(batches)};
}

}  // namespace pleat
