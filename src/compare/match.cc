#include "compare/match.h"

#include <unordered_map>
#include <unordered_set>

#include "export/fasta.h"
#include "export/record_selection.h"

namespace pleat {
namespace {

std::string sequence_of(const ResultReader& results, const Record& record) {
  return with_chain_breaks(results.sequence(record.sequence));
}

bool is_ok(const Record& record) { return record.status == RecordStatus::ok && record.sequence >= 0; }

// The records of a file by what they are matched by.
class Names {
 public:
  Names(const ResultReader& results, MatchBy by) : results_(results), by_(by) {}

  // Empty where the record is one of several of the same sequence, and only one counts.
  std::string key_of(const Record& record) {
    if (by_ == MatchBy::id) {
      const std::int64_t number = ++times_[record.id];
      return std::to_string(number) + " " + record.id;
    }
    if (record.sequence < 0) return "refused " + record.id;
    return seen_.insert(record.sequence).second ? sequence_of(results_, record) : std::string();
  }

 private:
  const ResultReader& results_;
  MatchBy by_;
  std::unordered_map<std::string, std::int64_t> times_;
  std::unordered_set<std::int64_t> seen_;
};

std::string reason_against(const ResultReader& a, const Record& of_a, const ResultReader& b, const Record& of_b) {
  if (!is_ok(of_a)) return "it is not ok in A";
  if (!is_ok(of_b)) return "it is not ok in B";
  return sequence_of(a, of_a) == sequence_of(b, of_b) ? "" : "its sequences differ";
}

}  // namespace

Matches match_records(const ResultReader& a, const ResultReader& b, MatchBy by) {
  struct Found {
    Record record;
    bool is_taken = false;
  };
  std::unordered_map<std::string, Found> of_b;
  std::vector<std::string> order;
  Names names_b(b, by);
  for_each_record(b, [&](std::int64_t /*number*/, const Record& record) {
    std::string key = names_b.key_of(record);
    if (key.empty()) return;
    of_b.emplace(key, Found{record});
    order.push_back(std::move(key));
  });
  Matches matches;
  Names names_a(a, by);
  for_each_record(a, [&](std::int64_t /*number*/, const Record& record) {
    const std::string key = names_a.key_of(record);
    if (key.empty()) return;
    const auto found = of_b.find(key);
    if (found == of_b.end()) {
      matches.unmatched.push_back({record.id, "it is not in B"});
      return;
    }
    found->second.is_taken = true;
    std::string reason = reason_against(a, record, b, found->second.record);
    if (reason.empty()) {
      matches.pairs.push_back({record.id, record.sequence, found->second.record.sequence});
    } else {
      matches.unmatched.push_back({record.id, std::move(reason)});
    }
  });
  for (const std::string& key : order) {
    const Found& found = of_b.at(key);
    if (!found.is_taken) matches.unmatched.push_back({found.record.id, "it is not in A"});
  }
  return matches;
}

}  // namespace pleat
