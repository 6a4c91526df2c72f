#include "runtime/plan_report.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <numeric>

#include "format/record_parts.h"
#include "journal/run_identity.h"
#include "machine/machine.h"
#include "machine/precision.h"
#include "plan/fold_cost.h"
#include "runtime/capacity.h"
#include "runtime/inputs.h"
#include "runtime/prepare.h"
#include "runtime/read_dataset.h"
#include "runtime/sequence_costs.h"
#include "sequence/complexes.h"

namespace pleat {
namespace {

constexpr std::int64_t no_limit = std::numeric_limits<std::int64_t>::max();

// On the disk where this folder is, or would be; -1 where nobody knows.
double free_room(std::filesystem::path folder) {
  std::error_code error;
  while (!std::filesystem::exists(folder, error) && folder.has_relative_path()) folder = folder.parent_path();
  const std::filesystem::space_info space = std::filesystem::space(folder.empty() ? "." : folder, error);
  return error ? -1 : static_cast<double>(space.available);
}

// What the inputs hold, and where variants of a table are scored, those of each sequence.
struct Surveyed {
  InputSurvey survey;
  std::vector<VariantCount> variants;  // parallel to InputSurvey::sequences, or empty
  std::vector<std::int64_t> scores;    // of a table, likewise
  std::int64_t table_rows = 0;
  std::int64_t refused_rows = 0;
};

// Variants belong to residues, so these are read too.
Surveyed survey_of(const Dataset& dataset) {
  Surveyed surveyed;
  InputSurvey& survey = surveyed.survey;
  survey.records = std::ssize(dataset.records);
  survey.inputs = dataset.inputs;
  survey.warnings = dataset.warnings;
  for (const Record& record : dataset.records) {
    if (record.error_code.empty()) continue;
    ++(record.sequence < 0 ? survey.rejected : survey.noted)[record.error_code];
  }
  const SequenceTable& sequences = dataset.sequences;
  for (std::int64_t row = 0; row < sequences.size(); ++row) {
    survey.sequences.push_back(
        {static_cast<std::int32_t>(sequences.length(row)), static_cast<std::int32_t>(sequences.chains(row))});
    surveyed.variants.push_back(count_variants(sequences, row));
    surveyed.scores.push_back(std::ssize(sequences.variants(row)));
  }
  if (const std::optional<VariantTable>& table = dataset.variants) {
    surveyed.table_rows = std::ssize(table->rows);
    surveyed.refused_rows = table->refused();
  }
  return surveyed;
}

Surveyed survey_manifest(const Manifest& manifest, const ChosenModel& chosen, PlanReport& report) {
  if (manifest.tasks.scoring.has_table()) {
    Silence silence;
    return survey_of(read_dataset(manifest, chosen.config, chosen.tokenizer, {}, silence));
  }
  const std::vector<InputFile> files = input_files(manifest);
  const ReadOptions options = read_options(manifest, chosen.tokenizer);
  Surveyed surveyed;
  if (!manifest.pairs.enabled) {
    surveyed.survey = survey_inputs(files, options);
    return surveyed;
  }
  const Complexes complexes(files, pair_rule(manifest), options);
  report.parts = complexes.part_count();
  surveyed.survey = complexes.survey();
  return surveyed;
}

// The sequences that fit.
struct Sizes {
  std::vector<std::int64_t> tokens;
  std::vector<std::int64_t> work;  // tokens of all passes
  std::vector<SequenceSize> rows;  // in the file
};

Sizes sizes_that_fit(const Manifest& manifest, const Surveyed& surveyed, const Tokenizer& tokenizer,
                     std::int64_t longest_tokens) {
  Sizes sizes;
  const std::vector<InputSurvey::Size>& sequences = surveyed.survey.sequences;
  sizes.tokens.reserve(sequences.size());
  sizes.work.reserve(sequences.size());
  sizes.rows.reserve(sequences.size());
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const InputSurvey::Size& size = sequences[i];
    const std::int64_t tokens = tokenizer.token_count(size.length, size.chains);
    if (tokens > longest_tokens) continue;
    const VariantCount variants = surveyed.variants.empty() ? VariantCount() : surveyed.variants[i];
    sizes.tokens.push_back(tokens);
    sizes.work.push_back(tokens * passes_of(manifest, size.length, variants));
    sizes.rows.emplace_back(size.length, size.chains, surveyed.scores.empty() ? 0 : surveyed.scores[i]);
  }
  return sizes;
}

// As a run does it: before anything that depends on the machine, so also with what does not fit into this one. In a run
// the sequences are in another order, which moves equal costs only.
void add_shards(const Manifest& manifest, const Surveyed& surveyed, const ChosenModel& chosen,
                std::int64_t longest_tokens, const ShardSpec& spec, PlanReport& report) {
  const Sizes sizes = sizes_that_fit(manifest, surveyed, chosen.tokenizer, no_limit);
  const std::vector<std::int64_t>& tokens = sizes.tokens;
  const std::vector<double> costs = costs_of(tokens, sizes.work, chosen.config, manifest.tasks.structure);
  const std::vector<std::int64_t> shards = shards_of(costs, spec.count);
  std::vector<double> loads(static_cast<std::size_t>(spec.count), 0.0);
  for (std::size_t i = 0; i < costs.size(); ++i) {
    if (tokens[i] <= longest_tokens) loads[static_cast<std::size_t>(shards[i] - 1)] += costs[i];
  }
  const auto [least, most] = std::ranges::minmax(loads);
  const double mean = std::accumulate(loads.begin(), loads.end(), 0.0) / static_cast<double>(spec.count);
  report.shard = spec;
  report.shard_flops = loads[static_cast<std::size_t>(spec.index - 1)];
  report.shard_spread = mean > 0 ? (most - least) / mean : 0;
}

void add_memory(const ChosenModel& chosen, const Capacity& capacity, const Sizes& sizes,
                const std::vector<Batch>& batches, PlanReport& report) {
  report.free_bytes = available_memory();
  report.weight_bytes = capacity.weights();
  report.activation_bytes = capacity.peak_of(batches, sizes.tokens, report.tokens_per_batch);
  if (!chosen.config.fold || !chosen.layout.structure) return;
  const std::int64_t chosen_chunk = capacity.chunk_size(batches, sizes.tokens);
  // Each about half of the one before: the steps between tell nothing new.
  for (const std::int64_t chunk : fold_chunks(chosen.config.folding())) {
    if (!report.chunks.empty() && chunk != chosen_chunk && 2 * chunk > report.chunks.back().chunk_size) continue;
    report.chunks.push_back({chunk, capacity.fold_peak(batches, sizes.tokens, chunk),
                             std::max<std::int64_t>(0, capacity.longest_tokens(chunk) - end_tokens),
                             chunk == chosen_chunk});
  }
}

void add_sizes(const Sizes& sizes, const ResultLayout& layout, PlanReport& report) {
  const std::vector<Part> parts = parts_of(layout);
  report.sequences = std::ssize(sizes.tokens);
  for (const SequenceSize& size : sizes.rows) {
    report.residues += size.residues;
    report.longest = std::max(report.longest, size.residues);
    const std::vector<std::uint64_t> bytes = sizes_of(parts, size);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      report.result_bytes += static_cast<double>(bytes[i]);
      if (parts[i].entry->present != schema::Present::with_attentions) continue;
      report.attention_bytes += static_cast<double>(bytes[i]);
    }
  }
}

}  // namespace

PlanReport make_plan_report(const Manifest& manifest, const std::optional<ShardSpec>& shard) {
  const ChosenModel chosen = choose_model(manifest);
  const Capacity capacity(manifest, chosen.config, chosen.layout, element_type(chosen.precision), chosen.devices);
  PlanReport report;
  const Surveyed surveyed = survey_manifest(manifest, chosen, report);
  const InputSurvey& survey = surveyed.survey;
  const std::int64_t longest_tokens = capacity.longest_tokens();
  const Sizes sizes = sizes_that_fit(manifest, surveyed, chosen.tokenizer, longest_tokens);
  const std::vector<double> costs = costs_of(sizes.tokens, sizes.work, chosen.config, manifest.tasks.structure);

  report.model = manifest.model;
  report.precision = precision_name(chosen.precision);
  report.precision_text = precision_text(manifest.run.precision, chosen.precision);
  report.devices = chosen.devices.count();
  report.threads = capacity.threads();
  report.inputs = survey.inputs;
  report.warnings = survey.warnings;
  report.records = survey.records;
  report.rejected = survey.rejected;
  report.noted = survey.noted;
  add_sizes(sizes, chosen.layout, report);
  report.too_long = std::ssize(survey.sequences) - report.sequences;
  report.longest_that_fits = std::max<std::int64_t>(0, longest_tokens - end_tokens);
  report.variants = surveyed.table_rows;
  report.variants_refused = surveyed.refused_rows;
  report.model_tokens = std::accumulate(sizes.work.begin(), sizes.work.end(), std::int64_t{0});
  report.tokens_per_batch = token_budget(manifest, sizes.work, chosen.devices, longest_tokens);
  const std::vector<Batch> batches =
      plan_batches(sizes.work, costs, report.tokens_per_batch, batch_order(manifest, chosen.devices));
  report.batches = std::ssize(batches);
  for (const Batch& batch : batches) {
    report.flops += batch.flops;
    report.dearest_batch_flops = std::max(report.dearest_batch_flops, batch.flops);
  }
  add_memory(chosen, capacity, sizes, batches, report);
  report.free_disk_bytes = free_room(work_folder_of(manifest.resolve(manifest.output), {}));
  if (shard) add_shards(manifest, surveyed, chosen, longest_tokens, *shard, report);
  return report;
}

}  // namespace pleat
