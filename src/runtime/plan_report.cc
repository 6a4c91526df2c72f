#include "runtime/plan_report.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <numeric>

#include "plan/fold_cost.h"
#include "runtime/capacity.h"
#include "runtime/inputs.h"
#include "runtime/machine.h"
#include "runtime/precision.h"
#include "runtime/prepare.h"
#include "sequence/complexes.h"
#include "store/record_parts.h"
#include "store/run_identity.h"

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

// The sequences that fit, and their tokens.
struct Sizes {
  std::vector<std::int64_t> tokens;
  std::vector<InputSurvey::Size> sequences;
};

Sizes sizes_that_fit(const InputSurvey& survey, const Tokenizer& tokenizer, std::int64_t longest_tokens) {
  Sizes sizes;
  sizes.tokens.reserve(survey.sequences.size());
  sizes.sequences.reserve(survey.sequences.size());
  for (const InputSurvey::Size& size : survey.sequences) {
    const std::int64_t tokens = tokenizer.token_count(size.length, size.chains);
    if (tokens > longest_tokens) continue;
    sizes.tokens.push_back(tokens);
    sizes.sequences.push_back(size);
  }
  return sizes;
}

// As a run does it: before anything that depends on the machine, so also with what does not fit into this one. In a run
// the sequences are in another order, which moves equal costs only.
void add_shards(const InputSurvey& survey, const ChosenModel& chosen, const StructureTask& structure,
                std::int64_t longest_tokens, const ShardSpec& spec, PlanReport& report) {
  const std::vector<std::int64_t> tokens = sizes_that_fit(survey, chosen.tokenizer, no_limit).tokens;
  const std::vector<double> costs = costs_of(tokens, chosen.config, structure);
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
  report.activation_bytes = capacity.peak_of(batches, sizes.tokens);
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

InputSurvey survey_of(const Manifest& manifest, const Tokenizer& tokenizer, PlanReport& report) {
  const std::vector<InputFile> files = input_files(manifest);
  const ReadOptions options = read_options(manifest, tokenizer);
  if (!manifest.pairs.enabled) return survey_inputs(files, options);
  const Complexes complexes(files, pair_rule(manifest), options);
  report.parts = complexes.part_count();
  return complexes.survey();
}

void add_sizes(const Sizes& sizes, const ResultLayout& layout, PlanReport& report) {
  const std::vector<Part> parts = parts_of(layout);
  report.sequences = std::ssize(sizes.tokens);
  for (const InputSurvey::Size& size : sizes.sequences) {
    report.residues += size.length;
    report.longest = std::max<std::int64_t>(report.longest, size.length);
    const std::vector<std::uint64_t> bytes = sizes_of(parts, {size.length, size.chains});
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
  const InputSurvey survey = survey_of(manifest, chosen.tokenizer, report);
  const std::int64_t longest_tokens = capacity.longest_tokens();
  const Sizes sizes = sizes_that_fit(survey, chosen.tokenizer, longest_tokens);
  const std::vector<double> costs = costs_of(sizes.tokens, chosen.config, manifest.tasks.structure);

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
  report.tokens_per_batch = token_budget(manifest, sizes.tokens, chosen.devices, longest_tokens);
  const std::vector<Batch> batches =
      plan_batches(sizes.tokens, costs, report.tokens_per_batch, batch_order(manifest, chosen.devices));
  report.batches = std::ssize(batches);
  for (const Batch& batch : batches) {
    report.flops += batch.flops;
    report.dearest_batch_flops = std::max(report.dearest_batch_flops, batch.flops);
  }
  add_memory(chosen, capacity, sizes, batches, report);
  report.free_disk_bytes = free_room(work_folder_of(manifest.resolve(manifest.output), {}));
  if (shard) add_shards(survey, chosen, manifest.tasks.structure, longest_tokens, *shard, report);
  return report;
}

}  // namespace pleat
