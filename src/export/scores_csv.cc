#include "export/scores_csv.h"

#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <limits>
#include <map>

#include "core/error.h"
#include "export/csv.h"
#include "export/record_selection.h"
#include "export/structure.h"
#include "format/schema.h"
#include "sequence/residues.h"

namespace pleat {
namespace {

[[noreturn]] void throw_none(const ResultReader& results, const std::string& what) {
  throw Error(ErrorCode::usage, "'" + results.file().string() + "' has no " + what,
              "'pleat inspect' shows what it has; tasks.scoring computes scores");
}

// Calls `write` with each record that was asked for and was computed, and returns the others.
std::vector<LeftOut> for_each_scored(const ResultReader& results, const std::set<std::string>& ids,
                                     const std::function<void(const Record& record)>& write) {
  check_ids(results, ids, false);
  std::vector<LeftOut> left_out;
  for_each_record(results, [&](std::int64_t /*number*/, const Record& record) {
    if (!ids.empty() && !ids.contains(record.id)) return;
    if (record.status == RecordStatus::ok && record.sequence >= 0) {
      write(record);
    } else {
      left_out.push_back({record.id, record.message.empty() ? "never computed" : record.message});
    }
  });
  return left_out;
}

std::map<std::string, Record> records_not_ok(const ResultReader& results) {
  std::map<std::string, Record> found;
  for_each_record(results, [&](std::int64_t /*number*/, const Record& record) {
    if (record.status != RecordStatus::ok) found.try_emplace(record.id, record);
  });
  return found;
}

// Why a variant that was not refused has no score.
void explain(const std::map<std::string, Record>& failed, VariantRow& row) {
  const auto found = failed.find(row.id);
  if (found != failed.end()) {
    row.error_code = found->second.error_code;
    row.message = "its record has no results: " + found->second.message;
  } else {
    row.error_code = word_of(RecordCode::not_computed);
    row.message = "its record is in another shard, or in one that is missing";
  }
}

std::vector<LeftOut> write_table(const ResultReader& results, const std::set<std::string>& ids, const TextSink& sink) {
  check_ids(results, ids, false);
  const VariantTable table = results.variant_table();
  const std::vector<std::int64_t> rows = results.variant_rows();
  const std::vector<float> values = results.floats(schema::variant_score, 0, std::ssize(rows));
  std::vector<float> scores(table.rows.size(), std::numeric_limits<float>::quiet_NaN());
  for (std::size_t i = 0; i < rows.size(); ++i) scores[static_cast<std::size_t>(rows[i])] = values[i];
  const std::map<std::string, Record> failed = records_not_ok(results);
  std::vector<LeftOut> left_out;
  sink("id,variant,score,error_code,message\n");
  for (std::size_t i = 0; i < scores.size(); ++i) {
    VariantRow row = table.rows[i];
    if (!ids.empty() && !ids.contains(row.id)) continue;
    if (std::isnan(scores[i]) && row.error_code.empty()) {
      explain(failed, row);
      // A shard has the table of all, and owes its own part alone.
      if (!results.shard()) left_out.push_back({row.id, row.variant + ": " + row.message});
    }
    std::string line = csv_field(row.id) + "," + csv_field(row.variant);
    append_number(line, scores[i]);
    sink(line + "," + csv_field(row.error_code) + "," + csv_field(row.message) + "\n");
  }
  return left_out;
}

}  // namespace

std::vector<LeftOut> write_scores_csv(const ResultReader& results, const std::set<std::string>& ids,
                                      const TextSink& sink) {
  if (!results.has_scores()) throw_none(results, "scores");
  sink("id,residues,pseudo_perplexity\n");
  return for_each_scored(results, ids, [&](const Record& record) {
    const auto at = static_cast<std::size_t>(record.sequence);
    std::string line = fmt::format("{},{}", csv_field(record.id), results.offsets()[at + 1] - results.offsets()[at]);
    append_number(line, results.values(schema::pseudo_perplexity, record.sequence).front());
    sink(line + "\n");
  });
}

std::vector<LeftOut> write_residue_scores_csv(const ResultReader& results, const std::set<std::string>& ids,
                                              const TextSink& sink) {
  if (!results.has_scores()) throw_none(results, "scores");
  sink("id,chain,position,residue,log_probability\n");
  return for_each_scored(results, ids, [&](const Record& record) {
    const StoredSequence sequence = results.sequence(record.sequence);
    const std::vector<float> values = results.values(schema::log_probability, record.sequence);
    std::int64_t position = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      position = i > 0 && sequence.chain[i] == sequence.chain[i - 1] ? position + 1 : 1;
      std::string line = fmt::format("{},{},{},{}", csv_field(record.id), chain_name(sequence.chain[i]), position,
                                     sequence.residues[i]);
      append_number(line, values[i]);
      sink(line + "\n");
    }
  });
}

std::vector<LeftOut> write_variants_csv(const ResultReader& results, const std::set<std::string>& ids,
                                        const TextSink& sink) {
  if (results.has_variants()) return write_table(results, ids, sink);
  if (!results.has_substitutions()) throw_none(results, "scores of variants");
  sink("id,variant,score\n");
  return for_each_scored(results, ids, [&](const Record& record) {
    const std::string id = csv_field(record.id);
    const StoredSequence sequence = results.sequence(record.sequence);
    const std::vector<float> values = results.values(schema::substitution_scores, record.sequence);
    std::size_t next = 0;
    for (std::size_t i = 0; i < sequence.residues.size(); ++i) {
      for (const char letter : residues::amino_acids) {
        const float value = values[next++];
        if (letter == sequence.residues[i]) continue;
        std::string line = fmt::format("{},{}{}{}", id, sequence.residues[i], i + 1, letter);
        append_number(line, value);
        sink(line + "\n");
      }
    }
  });
}

}  // namespace pleat
