#include "report/record_table.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "format/schema.h"

namespace pleat {
namespace {

constexpr float missing = std::numeric_limits<float>::quiet_NaN();

// What a file knows of its sequences: one entry for each row.
struct SequenceNumbers {
  std::vector<std::uint16_t> chains;
  std::vector<float> mean_plddt;
  std::vector<float> ptm;
  std::vector<float> iptm;   // empty where the file has none, likewise:
  std::vector<float> ipsae;  // of the best two chains
  std::vector<float> pseudo_perplexity;
};

// Chains count from 0 within a sequence, so its last residue tells how many there are.
std::vector<std::uint16_t> count_chains(const ResultReader& results) {
  constexpr std::int64_t block = 1 << 20;
  const std::vector<std::int64_t>& offsets = results.offsets();
  std::vector<std::uint16_t> counts(offsets.size() - 1);
  std::size_t row = 0;
  for (std::int64_t first = 0; first < results.residue_count(); first += block) {
    const std::int64_t count = std::min(block, results.residue_count() - first);
    const std::vector<float> chain = results.floats(schema::sequence_chain, first, count);
    for (; row < counts.size() && offsets[row + 1] <= first + count; ++row) {
      if (offsets[row + 1] == offsets[row]) continue;
      const auto last = static_cast<std::size_t>(offsets[row + 1] - 1 - first);
      counts[row] = static_cast<std::uint16_t>(std::lround(chain[last]) + 1);
    }
  }
  return counts;
}

// The largest of each sequence's matrix; NaN with one chain.
std::vector<float> best_ipsae(const ResultReader& results) {
  const std::vector<std::int64_t>& begins = results.begins(Extent::chain_pair);
  const std::vector<float> all = results.floats(schema::ipsae, 0, begins.back());
  std::vector<float> best(begins.size() - 1, missing);
  for (std::size_t row = 0; row < best.size(); ++row) {
    for (auto i = static_cast<std::size_t>(begins[row]); i < static_cast<std::size_t>(begins[row + 1]); ++i) {
      if (std::isfinite(all[i]) && !(best[row] >= all[i])) best[row] = all[i];
    }
  }
  return best;
}

SequenceNumbers read_sequences(const ResultReader& results) {
  SequenceNumbers numbers;
  numbers.chains = count_chains(results);
  if (results.has_scores()) {
    numbers.pseudo_perplexity = results.floats(schema::pseudo_perplexity, 0, results.sequence_count());
  }
  if (results.has_structures()) {
    numbers.mean_plddt = results.floats(schema::mean_plddt, 0, results.sequence_count());
    numbers.ptm = results.floats(schema::ptm, 0, results.sequence_count());
    if (results.has_interfaces()) {
      numbers.iptm = results.floats(schema::iptm, 0, results.sequence_count());
      numbers.ipsae = best_ipsae(results);
    }
  }
  return numbers;
}

// Adds the records of one file.
class TableReader {
 public:
  TableReader(const ResultReader& results, std::uint16_t file, RecordTable& table)
      : results_(results),
        file_(file),
        table_(table),
        sequences_(read_sequences(results)),
        seen_(static_cast<std::size_t>(results.sequence_count())) {}

  void read() {
    constexpr std::int64_t block = 16384;
    for (std::int64_t first = 0; first < results_.record_count(); first += block) {
      const std::int64_t count = std::min(block, results_.record_count() - first);
      std::vector<Record> records = results_.records(first, count);
      std::vector<RecordCost> costs = results_.costs(first, count);
      for (std::size_t i = 0; i < records.size(); ++i) {
        add_sequence(records[i]);
        add_cost(std::move(costs[i]));
        add_text(std::move(records[i]));
      }
    }
  }

 private:
  void add_sequence(const Record& record) {
    const bool has_row = record.sequence >= 0;
    const auto row = static_cast<std::size_t>(has_row ? record.sequence : 0);
    const std::vector<std::int64_t>& offsets = results_.offsets();
    table_.sequence.push_back(static_cast<std::int32_t>(record.sequence));
    table_.length.push_back(has_row ? static_cast<std::int32_t>(offsets[row + 1] - offsets[row]) : 0);
    table_.chains.push_back(has_row ? sequences_.chains[row] : 0);
    const bool has_structure = has_row && record.status == RecordStatus::ok && results_.has_structures();
    table_.mean_plddt.push_back(has_structure ? sequences_.mean_plddt[row] : missing);
    table_.ptm.push_back(has_structure ? sequences_.ptm[row] : missing);
    const bool has_interfaces = has_structure && !sequences_.iptm.empty();
    table_.iptm.push_back(has_interfaces ? sequences_.iptm[row] : missing);
    table_.ipsae.push_back(has_interfaces ? sequences_.ipsae[row] : missing);
    const bool has_score = has_row && record.status == RecordStatus::ok && results_.has_scores();
    table_.pseudo_perplexity.push_back(has_score ? sequences_.pseudo_perplexity[row] : missing);
    table_.is_first.push_back(has_row && seen_[row] == 0 ? 1 : 0);
    if (has_row) seen_[row] = 1;
  }

  void add_cost(RecordCost cost) {
    table_.seconds.push_back(static_cast<float>(cost.seconds));
    table_.attempts.push_back(cost.attempts);
    table_.rung.push_back(cost.memory_rung);
    table_.device.push_back(std::move(cost.device));
  }

  void add_text(Record record) {
    table_.file.push_back(file_);
    table_.status.push_back(static_cast<std::uint8_t>(record.status));
    table_.id.push_back(std::move(record.id));
    table_.description.push_back(std::move(record.description));
    table_.code.push_back(std::move(record.error_code));
    table_.message.push_back(std::move(record.message));
  }

  const ResultReader& results_;
  std::uint16_t file_;
  RecordTable& table_;
  SequenceNumbers sequences_;
  std::vector<std::uint8_t> seen_;
};

}  // namespace

RecordTable read_records(const std::vector<ResultReader>& files) {
  RecordTable table;
  for (std::size_t file = 0; file < files.size(); ++file) {
    TableReader(files[file], static_cast<std::uint16_t>(file), table).read();
  }
  return table;
}

bool have_interfaces(const RecordTable& records) {
  return std::ranges::any_of(records.iptm, [](float value) { return std::isfinite(value); });
}

bool have_scores(const std::vector<ResultReader>& files) {
  return std::ranges::any_of(files, [](const ResultReader& results) { return results.has_scores(); });
}

bool have_structures(const std::vector<ResultReader>& files) {
  return std::ranges::any_of(files, [](const ResultReader& file) { return file.has_structures(); });
}

}  // namespace pleat
