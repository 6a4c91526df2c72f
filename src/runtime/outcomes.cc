#include "runtime/outcomes.h"

#include <fmt/format.h>

namespace pleat {

std::string records_warning(std::int64_t count, const std::string& code) {
  return fmt::format("{} record{} with {}; /records/message says more", count, count == 1 ? "" : "s", code);
}

void add_note(SequenceResult& result, RecordCode code, const std::string& message) {
  if (result.error_code.empty()) result.error_code = word_of(code);
  result.message += (result.message.empty() ? "" : "; ") + message;
}

void Outcomes::add(const SequenceResult& result) {
  if (result.failed) {
    failed_[static_cast<std::size_t>(result.row)] = true;
  } else if (!result.error_code.empty()) {
    notes_[result.row] = result.error_code;
  }
}

void Outcomes::count_records(RunSummary& summary) const {
  summary.records = static_cast<std::int64_t>(dataset_.records.size());
  for (const Record& record : dataset_.records) {
    if (record.status == RecordStatus::rejected) {
      ++summary.rejected;
    } else if (record.status == RecordStatus::skipped) {
      ++summary.skipped;
    } else if (failed_[static_cast<std::size_t>(record.sequence)]) {
      ++summary.failed;
    } else {
      ++summary.ok;
    }
  }
}

std::vector<std::string> Outcomes::warnings() const {
  std::map<std::string, std::int64_t> counts;
  for (const Record& record : dataset_.records) {
    if (const auto note = notes_.find(record.sequence); note != notes_.end()) ++counts[note->second];
  }
  std::vector<std::string> lines;
  lines.reserve(counts.size());
  for (const auto& [code, count] : counts) lines.push_back(records_warning(count, code));
  return lines;
}

}  // namespace pleat
