#include "pleat/export/fasta.h"

#include <algorithm>
#include <cstddef>
#include <set>

#include "pleat/core/error.h"

namespace pleat {
namespace {

constexpr std::size_t line_width = 60;
constexpr std::int64_t block_records = 4096;

void for_each_record(const ResultReader& results, const std::function<void(const Record&)>& visit) {
  for (std::int64_t first = 0; first < results.record_count(); first += block_records) {
    const std::int64_t count = std::min(block_records, results.record_count() - first);
    for (const Record& record : results.records(first, count)) visit(record);
  }
}

// Throws when an id was asked for in vain.
void check_ids(const ResultReader& results, const std::set<std::string>& ids) {
  std::set<std::string> missing = ids;
  std::set<std::string> refused;
  for_each_record(results, [&](const Record& record) {
    if (!ids.contains(record.id)) return;
    missing.erase(record.id);
    if (record.sequence < 0) refused.insert("'" + record.id + "' (" + record.message + ")");
  });
  std::string what;
  for (const std::string& id : missing) what += (what.empty() ? "'" : ", '") + id + "'";
  if (!missing.empty()) what = "'" + results.file().string() + "' has no record named " + what;
  if (!refused.empty() && !what.empty()) what += "; ";
  if (!refused.empty()) what += "these records were refused and have no sequence: ";
  for (auto name = refused.begin(); name != refused.end(); ++name)
    what += (name == refused.begin() ? "" : ", ") + *name;
  if (!what.empty()) throw Error(ErrorCode::bad_input, what, "'pleat inspect --records N' lists the records");
}

std::string with_chain_breaks(const StoredSequence& sequence) {
  std::string text;
  text.reserve(sequence.residues.size());
  for (std::size_t i = 0; i < sequence.residues.size(); ++i) {
    if (i > 0 && sequence.chain[i] != sequence.chain[i - 1]) text += ':';
    text += sequence.residues[i];
  }
  return text;
}

}  // namespace

std::string fasta_entry(const Record& record, const StoredSequence& sequence) {
  std::string entry = ">" + record.id;
  if (!record.description.empty()) entry += " " + record.description;
  entry += '\n';
  const std::string letters = with_chain_breaks(sequence);
  for (std::size_t begin = 0; begin < letters.size(); begin += line_width) {
    entry.append(letters, begin, line_width);
    entry += '\n';
  }
  return entry;
}

std::int64_t export_fasta(const ResultReader& results, const std::vector<std::string>& ids, const TextSink& sink) {
  const std::set<std::string> wanted(ids.begin(), ids.end());
  if (!wanted.empty()) check_ids(results, wanted);
  std::int64_t written = 0;
  for_each_record(results, [&](const Record& record) {
    if (record.sequence < 0 || (!wanted.empty() && !wanted.contains(record.id))) return;
    sink(fasta_entry(record, results.sequence(record.sequence)));
    ++written;
  });
  return written;
}

}  // namespace pleat
