#include "sequence/complexes.h"

#include <span>
#include <string_view>

#include "core/error.h"
#include "core/sha256.h"
#include "sequence/complex_index.h"
#include "sequence/text.h"

namespace pleat {
namespace {

constexpr std::int64_t most_chains = 65535;  // what SequenceTable's chain numbers hold

// How long a part may be is not the question, and which names may repeat is the pairs' affair.
ReadOptions options_of_parts(ReadOptions options) {
  options.share_duplicates = true;
  options.max_length = 0;
  options.warn_of_repeated_ids = false;
  return options;
}

void add_line(std::string& text, const Record& part) {
  text += (text.empty() ? "" : "; ") + quoted(std::string_view(part.id)) + ": " + part.message;
}

}  // namespace

Complexes::Complexes(const std::vector<InputFile>& inputs, const PairRule& rule, const ReadOptions& options)
    : parts_(read_inputs(inputs, options_of_parts(options))),
      pairs_(rule, parts_.records, options.stop),
      max_length_(options.max_length),
      stop_(options.stop) {
  if (const std::optional<InputReport>& table = pairs_.table()) parts_.inputs.push_back(*table);
  parts_.warnings.insert(parts_.warnings.end(), pairs_.warnings().begin(), pairs_.warnings().end());
  find_unique(options.share_duplicates);
  judge_all();
}

void Complexes::find_unique(bool share) {
  places_.assign(static_cast<std::size_t>(size()), PairList::none);
  unique_.reserve(places_.size());
  ComplexIndex index(parts_.sequences, unique_);
  for (std::int64_t pair = 0; pair < size(); ++pair) {
    throw_if_stopped(stop_);
    if (refusal(pair)) continue;
    if (share) {
      places_[pair] = index.find_or_append(rows_of(pair));
    } else {
      places_[pair] = static_cast<std::int32_t>(unique_.size());
      unique_.push_back(rows_of(pair));
    }
  }
}

// None of these texts holds a line break.
void Complexes::judge_all() {
  Sha256 sha256;
  sha256.update(parts_.sha256);
  for (std::int64_t pair = 0; pair < size(); ++pair) {
    throw_if_stopped(stop_);
    const Record record = record_of(pair);
    for (const std::string& text : {record.id, record.error_code, record.message}) {
      sha256.update("\n");
      sha256.update(text);
    }
    sha256.update("\n");
    sha256.update(std::as_bytes(std::span(pairs_.places(pair))));
    if (!record.error_code.empty()) ++(record.sequence < 0 ? rejected_ : noted_)[record.error_code];
  }
  sha256_ = sha256.finish();
}

Complexes::Rows Complexes::rows_of(std::int64_t pair) const {
  const PairList::Places& places = pairs_.places(pair);
  return {static_cast<std::int32_t>(parts_.records[places[0]].sequence),
          static_cast<std::int32_t>(parts_.records[places[1]].sequence)};
}

InputSurvey::Size Complexes::size_of(const Rows& rows) const {
  InputSurvey::Size size;
  for (const std::int32_t row : rows) {
    size.length += static_cast<std::int32_t>(parts_.sequences.length(row));
    size.chains += static_cast<std::int32_t>(parts_.sequences.chains(row));
  }
  return size;
}

std::optional<Complexes::Refusal> Complexes::refusal(std::int64_t pair) const {
  if (const auto* const refused = pairs_.refusal(pair))
    return Refusal{std::string(word_of(refused->code)), refused->message};
  const auto& [a, b] = pairs_.places(pair);
  Refusal of_parts;
  for (const std::int32_t place : {a, b}) {
    const Record& part = parts_.records[place];
    if (part.status != RecordStatus::rejected) continue;
    if (!of_parts.word.empty() && a == b) break;
    if (of_parts.word.empty()) of_parts.word = part.error_code;
    add_line(of_parts.message, part);
  }
  if (!of_parts.word.empty()) return of_parts;
  const InputSurvey::Size size = size_of(rows_of(pair));
  if (size.chains > most_chains) {
    return Refusal{
        std::string(word_of(RecordCode::too_many_chains)),
        std::to_string(size.chains) + " chains where at most " + std::to_string(most_chains) + " are possible"};
  }
  if (max_length_ > 0 && size.length > max_length_) {
    return Refusal{std::string(word_of(RecordCode::too_long)),
                   "the complex has " + std::to_string(size.length) + " residues where at most " +
                       std::to_string(max_length_) + " are allowed (policy.max_length)"};
  }
  return std::nullopt;
}

Record Complexes::record_of(std::int64_t pair) const {
  Record record;
  record.id = pairs_.id(pair);
  if (auto refused = refusal(pair)) {
    record.status = RecordStatus::rejected;
    record.error_code = std::move(refused->word);
    record.message = std::move(refused->message);
    return record;
  }
  record.sequence = places_[pair];
  const auto& [a, b] = pairs_.places(pair);
  for (const std::int32_t place : {a, b}) {
    const Record& part = parts_.records[place];
    if (part.error_code.empty()) continue;
    if (!record.error_code.empty() && a == b) break;
    if (record.error_code.empty()) record.error_code = part.error_code;
    add_line(record.message, part);
  }
  return record;
}

std::vector<InputSurvey::Size> Complexes::sizes() const {
  std::vector<InputSurvey::Size> sizes;
  sizes.reserve(unique_.size());
  for (const Rows& rows : unique_) sizes.push_back(size_of(rows));
  return sizes;
}

InputSurvey Complexes::survey() const {
  return {.records = size(),
          .rejected = rejected_,
          .noted = noted_,
          .sequences = sizes(),
          .inputs = parts_.inputs,
          .warnings = parts_.warnings};
}

void Complexes::append(std::int64_t place, SequenceTable& table) const {
  throw_if_stopped(stop_);
  std::string residues;
  std::vector<std::uint16_t> chain;
  for (const std::int32_t row : unique_[place]) {
    const int before = chain.empty() ? 0 : chain.back() + 1;
    residues += parts_.sequences.residues(row);
    for (const int number : parts_.sequences.chain(row)) chain.push_back(static_cast<std::uint16_t>(before + number));
  }
  table.append(residues, chain);
}

void Complexes::append_record(std::int64_t pair, std::int64_t row, Dataset& dataset) const {
  throw_if_stopped(stop_);
  dataset.records.push_back(record_of(pair));
  dataset.records.back().sequence = row;
  if (dataset.parts) dataset.parts->push_back(pairs_.names(pair));
}

Dataset Complexes::dataset() const {
  Dataset all;
  all.sha256 = sha256_;
  all.inputs = parts_.inputs;
  all.warnings = parts_.warnings;
  all.parts.emplace();
  for (std::int64_t place = 0; place < std::ssize(unique_); ++place) append(place, all.sequences);
  for (std::int64_t pair = 0; pair < size(); ++pair) append_record(pair, places_[pair], all);
  return all;
}

Dataset Complexes::shard(const std::vector<std::int64_t>& shards, std::int64_t index, std::int64_t count) const {
  Dataset part;
  part.sha256 = sha256_;
  part.inputs = parts_.inputs;
  part.warnings = parts_.warnings;
  part.parts.emplace();
  ShardPart& shard = part.shard.emplace();
  shard.index = index;
  shard.count = count;
  shard.records = size();
  shard.sequences = std::ssize(unique_);
  std::vector<std::int64_t> rows(unique_.size(), -1);
  for (std::int64_t place = 0; place < shard.sequences; ++place) {
    if (shards[place] != index) continue;
    rows[place] = part.sequences.size();
    append(place, part.sequences);
    shard.sequence_places.push_back(place);
  }
  for (std::int64_t pair = 0; pair < size(); ++pair) {
    const bool is_refused = places_[pair] < 0;
    const std::int64_t row = is_refused ? -1 : rows[places_[pair]];
    if (is_refused ? pair % count != index - 1 : row < 0) continue;
    append_record(pair, row, part);
    shard.record_places.push_back(pair);
  }
  return part;
}

}  // namespace pleat
