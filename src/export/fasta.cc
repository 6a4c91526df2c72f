#include "export/fasta.h"

#include <cstddef>
#include <set>

#include "export/record_selection.h"

namespace pleat {
namespace {

constexpr std::size_t line_width = 60;

}  // namespace

std::string with_chain_breaks(const StoredSequence& sequence) {
  std::string text;
  text.reserve(sequence.residues.size());
  for (std::size_t i = 0; i < sequence.residues.size(); ++i) {
    if (i > 0 && sequence.chain[i] != sequence.chain[i - 1]) text += ':';
    text += sequence.residues[i];
  }
  return text;
}

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

std::int64_t export_fasta(const ResultReader& results, const std::vector<std::string>& ids, const TextSink& sink,
                          const SkippedSink& skipped) {
  const std::set<std::string> wanted(ids.begin(), ids.end());
  check_ids(results, wanted, true);
  std::int64_t written = 0;
  for_each_record(results, [&](std::int64_t /*number*/, const Record& record) {
    if (!wanted.empty() && !wanted.contains(record.id)) return;
    if (record.sequence < 0) {
      if (skipped) skipped(record);
      return;
    }
    sink(fasta_entry(record, results.sequence(record.sequence)));
    ++written;
  });
  return written;
}

}  // namespace pleat
