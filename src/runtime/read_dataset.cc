#include "runtime/read_dataset.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "runtime/inputs.h"
#include "runtime/outcomes.h"
#include "runtime/sequence_costs.h"
#include "sequence/complexes.h"
#include "sequence/shard.h"
#include "sequence/variants.h"

namespace pleat {
namespace {

void tell_of_inputs(const std::vector<InputReport>& inputs, const std::vector<std::string>& warnings,
                    const std::map<std::string, std::int64_t>& codes, RunObserver& observer) {
  for (const InputReport& input : inputs) {
    if (input.is_bad()) observer.warning("input with " + input.problem + ": " + input.message);
  }
  for (const std::string& warning : warnings) observer.warning(warning);
  for (const auto& [code, count] : codes) observer.warning(records_warning(count, code));
}

Dataset read_records(const Manifest& manifest, const ReadOptions& options, RunObserver& observer) {
  Dataset dataset = read_inputs(input_files(manifest), options);
  std::map<std::string, std::int64_t> codes;
  for (const Record& record : dataset.records) {
    if (!record.error_code.empty()) ++codes[record.error_code];
  }
  tell_of_inputs(dataset.inputs, dataset.warnings, codes, observer);
  observer.info(fmt::format("read {} records, {} unique sequences, {} residues", dataset.records.size(),
                            dataset.sequences.size(), dataset.sequences.offsets().back()));
  return dataset;
}

void add_variants(const Manifest& manifest, const StopToken* stop, Dataset& dataset, RunObserver& observer) {
  const std::filesystem::path file = manifest.resolve(manifest.tasks.scoring.variants);
  const VariantTable& table = assign_variants(read_variants(file, stop), dataset);
  if (const InputReport& input = dataset.inputs.back(); input.problem == input_problem::empty) {
    observer.warning(input.message);
  } else {
    tell_of_inputs({input}, {}, {}, observer);
  }
  std::map<std::string, std::int64_t> refused;
  for (const VariantRow& row : table.rows) {
    if (!row.error_code.empty()) ++refused[row.error_code];
  }
  for (const auto& [code, count] : refused) {
    observer.warning(fmt::format("{} variant{} refused with {}; /scores/table/message says more", count,
                                 count == 1 ? "" : "s", code));
  }
  observer.info(fmt::format("read {} variants", table.rows.size()));
}

class DatasetReader {
 public:
  DatasetReader(const Manifest& manifest, const ModelConfig& config, const Tokenizer& tokenizer, const StopToken* stop,
                RunObserver& observer)
      : manifest_(manifest), config_(config), tokenizer_(tokenizer), stop_(stop), observer_(observer) {}

  [[nodiscard]] Dataset read(const std::optional<ShardSpec>& spec) const {
    return manifest_.pairs.enabled ? read_complexes(spec) : read_records_of(spec);
  }

 private:
  [[nodiscard]] Dataset read_records_of(const std::optional<ShardSpec>& spec) const {
    Dataset all = read_records(manifest_, options(), observer_);
    if (manifest_.tasks.scoring.has_table()) add_variants(manifest_, stop_, all, observer_);
    if (!spec) return all;
    const std::vector<std::int64_t> tokens = token_counts(all.sequences, tokenizer_);
    const std::vector<std::int64_t> shards = shards_by_cost(tokens, work_of(manifest_, all.sequences, tokens), *spec);
    Dataset part = take_shard(all, shards, spec->index, spec->count);
    tell_of_shard(part, *spec);
    return part;
  }

  [[nodiscard]] Dataset read_complexes(const std::optional<ShardSpec>& spec) const {
    const Complexes complexes(input_files(manifest_), pair_rule(manifest_), options());
    const InputSurvey survey = complexes.survey();
    std::map<std::string, std::int64_t> codes = survey.rejected;
    for (const auto& [code, count] : survey.noted) codes[code] += count;
    tell_of_inputs(survey.inputs, survey.warnings, codes, observer_);
    std::vector<std::int64_t> tokens;
    std::vector<std::int64_t> work;
    std::int64_t residues = 0;
    for (const InputSurvey::Size& size : survey.sequences) {
      tokens.push_back(tokenizer_.token_count(size.length, size.chains));
      work.push_back(tokens.back() * passes_of(manifest_, size.length, {}));
      residues += size.length;
    }
    observer_.info(fmt::format("read {} records, which make {} complexes, {} unique, {} residues",
                               complexes.part_count(), complexes.size(), tokens.size(), residues));
    if (!spec) return complexes.dataset();
    Dataset part = complexes.shard(shards_by_cost(tokens, work, *spec), spec->index, spec->count);
    tell_of_shard(part, *spec);
    return part;
  }

  [[nodiscard]] ReadOptions options() const {
    ReadOptions options = read_options(manifest_, tokenizer_);
    options.stop = stop_;
    return options;
  }

  [[nodiscard]] std::vector<std::int64_t> shards_by_cost(const std::vector<std::int64_t>& tokens,
                                                         const std::vector<std::int64_t>& work,
                                                         const ShardSpec& spec) const {
    return shards_of(costs_of(tokens, work, config_, manifest_.tasks.structure), spec.count);
  }

  void tell_of_shard(const Dataset& part, const ShardSpec& spec) const {
    observer_.info(fmt::format("shard {} of {}: {} records, {} unique sequences, {} residues", spec.index, spec.count,
                               part.records.size(), part.sequences.size(), part.sequences.offsets().back()));
  }

  const Manifest& manifest_;
  const ModelConfig& config_;
  const Tokenizer& tokenizer_;
  const StopToken* stop_;
  RunObserver& observer_;
};

}  // namespace

ReadOptions read_options(const Manifest& manifest, const Tokenizer& tokenizer) {
  ReadOptions options;
  options.alphabet = tokenizer.alphabet();
  options.strict = manifest.policy.residues == ResiduePolicy::strict;
  options.max_length = manifest.policy.max_length;
  switch (manifest.policy.nucleotides) {
    case NucleotideRule::warn: options.nucleotides = NucleotidePolicy::warn; break;
    case NucleotideRule::reject: options.nucleotides = NucleotidePolicy::reject; break;
    case NucleotideRule::ignore: options.nucleotides = NucleotidePolicy::ignore; break;
  }
  options.share_duplicates = manifest.policy.duplicates == DuplicatePolicy::share;
  return options;
}

Dataset read_dataset(const Manifest& manifest, const ModelConfig& config, const Tokenizer& tokenizer,
                     const DatasetPart& part, RunObserver& observer) {
  return DatasetReader(manifest, config, tokenizer, part.stop, observer).read(part.shard);
}

}  // namespace pleat
