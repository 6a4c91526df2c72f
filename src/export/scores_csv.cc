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

// Gives each variant that was not refused and has no score the reason; `rows` are those.
void explain(const ResultReader& results, const std::vector<std::size_t>& rows, VariantTable& table) {
  if (rows.empty()) return;
  std::map<std::string, Record> failed;
  for_each_record(results, [&](std::int64_t /*number*/, const Record& record) {
    if (record.status != RecordStatus::ok) failed.try_emplace(record.id, record);
  });
  for (const std::size_t i : rows) {
    VariantRow& row = table.rows[i];
    const auto found = failed.find(row.id);
    if (found != failed.end()) {
      row.error_code = found->second.error_code;
      row.message = "its record has no results: " + found->second.message;
    } else {
      row.error_code = word_of(RecordCode::not_computed);
      row.message = "its record is in another shard, or in one that is missing";
    }
  }
}

std::vector<LeftOut> write_table(const ResultReader& results, const std::set<std::string>& ids, const TextSink& sink) {
  check_ids(results, ids, false);
  VariantTable table = results.variant_table();
  const std::vector<std::int64_t> rows = results.variant_rows();
  const std::vector<float> values = results.floats(schema::variant_score, 0, std::ssize(rows));
  std::vector<float> scores(table.rows.size(), std::numeric_limits<float>::quiet_NaN());
  for (std::size_t i = 0; i < rows.size(); ++i) scores[static_cast<std::size_t>(rows[i])] = values[i];
  const auto is_asked = [&](const VariantRow& row) { return ids.empty() || ids.contains(row.id); };
  std::vector<std::size_t> unscored;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const VariantRow& row = table.rows[i];
    if (std::isnan(scores[i]) && row.error_code.empty() && is_asked(row)) unscored.push_back(i);
  }
  explain(results, unscored, table);
  sink("id,variant,score,error_code,message\n");
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const VariantRow& row = table.rows[i];
    if (!is_asked(row)) continue;
    std::string line = csv_field(row.id) + "," + csv_field(row.variant);
    append_number(line, scores[i]);
    sink(line + "," + csv_field(row.error_code) + "," + csv_field(row.message) + "\n");
  }
  std::vector<LeftOut> left_out;
  // A shard has the table of all, and owes its own part alone.
  if (results.shard()) return left_out;
  for (const std::size_t i : unscored) {
    left_out.push_back({table.rows[i].id, table.rows[i].variant + ": " + table.rows[i].message});
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
