#include "export/record_selection.h"

#include <algorithm>

#include "core/error.h"
#include "core/printable.h"

namespace pleat {

void for_each_record(const ResultReader& results,
                     const std::function<void(std::int64_t number, const Record& record)>& visit) {
  constexpr std::int64_t block_records = 4096;
  for (std::int64_t number = 0; number < results.record_count();) {
    const std::int64_t count = std::min(block_records, results.record_count() - number);
    for (const Record& record : results.records(number, count)) visit(number++, record);
  }
}

void check_ids(const ResultReader& results, const std::set<std::string>& ids, bool need_sequence) {
  std::set<std::string> missing = ids;
  std::set<std::string> refused;
  for_each_record(results, [&](std::int64_t /*number*/, const Record& record) {
    if (!ids.contains(record.id)) return;
    missing.erase(record.id);
    if (need_sequence && record.sequence < 0) {
      refused.insert("'" + printable(record.id) + "' (" + printable(record.message, 200) + ")");
    }
  });
  std::string what;
  for (const std::string& id : missing) what += (what.empty() ? "'" : ", '") + printable(id) + "'";
  if (!missing.empty()) what = "'" + results.file().string() + "' has no record named " + what;
  if (!refused.empty() && !what.empty()) what += "; ";
  if (!refused.empty()) what += "these records were refused and have no sequence: ";
  for (auto name = refused.begin(); name != refused.end(); ++name) {
    what += (name == refused.begin() ? "" : ", ") + *name;
  }
  if (!what.empty()) throw Error(ErrorCode::bad_input, what, "'pleat inspect --records N' lists the records");
}

}  // namespace pleat
