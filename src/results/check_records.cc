#include "results/check_records.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "format/record_parts.h"
#include "format/schema.h"
#include "results/problems.h"

namespace pleat {
namespace {

class RecordsChecker {
 public:
  RecordsChecker(const ResultReader& file, const Dataset& inputs)
      : file_(file), inputs_(inputs), stored_row_(static_cast<std::size_t>(inputs.sequences.size()), unseen) {}

  void operator()(Problems& problems) {
    constexpr std::int64_t block = 4096;
    const auto count = static_cast<std::int64_t>(inputs_.records.size());
    if (file_.record_count() != count) {
      problems.add(schema::records_group, "count",
                   "there are " + std::to_string(file_.record_count()) + " records, and " + std::to_string(count) +
                       " in the inputs");
      return;
    }
    for (std::int64_t first = 0; first < count; first += block) {
      std::int64_t row = first;
      for (const Record& stored : file_.records(first, std::min(block, count - first)))
        compare(row++, stored, problems);
    }
  }

 private:
  static constexpr std::int64_t unseen = -1;

  void compare(std::int64_t row, const Record& stored, Problems& problems) {
    const Record& input = inputs_.records[static_cast<std::size_t>(row)];
    const std::string name = "record " + std::to_string(row);
    if (stored.id != input.id) {
      problems.add(schema::record_id, "differs",
                   name + " is '" + stored.id + "', and '" + input.id + "' in the inputs");
    }
    if (stored.description != input.description) {
      problems.add(schema::record_description, "differs", name + " has another description in the inputs");
    }
    if (stored.sequence < 0 && stored.error_code == RecordCode::does_not_fit) return;
    if ((stored.sequence < 0) != (input.sequence < 0)) {
      problems.add(
          schema::record_status, "differs",
          name + (stored.sequence < 0 ? " is refused, and the inputs' is not" : " is not refused as the inputs' is"));
      return;
    }
    if (stored.sequence >= 0 && !is_same_sequence(stored.sequence, input.sequence)) {
      problems.add(schema::record_sequence, "differs", name + " has other residues or chains in the inputs");
    }
  }

  // Each pair is compared once: many records may share a sequence.
  bool is_same_sequence(std::int64_t stored_row, std::int64_t input_row) {
    std::int64_t& known = stored_row_[static_cast<std::size_t>(input_row)];
    if (known == stored_row) return true;
    const StoredSequence stored = file_.sequence(stored_row);
    if (stored.residues != inputs_.sequences.residues(input_row) ||
        !std::ranges::equal(stored.chain, inputs_.sequences.chain(input_row))) {
      return false;
    }
    known = stored_row;
    return true;
  }

  const ResultReader& file_;
  const Dataset& inputs_;
  std::vector<std::int64_t> stored_row_;  // of each sequence of the inputs, the row in the file that is equal to it
};

// Scores belong to the variants that were asked for.
void check_variants(const ResultReader& file, const Dataset& inputs, Problems& problems) {
  if (!inputs.variants || !file.has_variants()) return;  // a table that is missing is named below
  const std::vector<VariantRow> stored = file.variant_table().rows;
  const std::vector<VariantRow>& wanted = inputs.variants->rows;
  if (stored.size() != wanted.size()) {
    problems.add(schema::variant_table_text, "count",
                 "there are " + std::to_string(stored.size()) + " variants, and " + std::to_string(wanted.size()) +
                     " in the manifest's table");
    return;
  }
  for (std::size_t row = 0; row < stored.size(); ++row) {
    if (stored[row].id == wanted[row].id && stored[row].variant == wanted[row].variant) continue;
    problems.add(schema::variant_table_text, "differs",
                 "row " + std::to_string(row) + " is '" + stored[row].id + "' '" + stored[row].variant + "', and '" +
                     wanted[row].id + "' '" + wanted[row].variant + "' in the manifest's table");
  }
}

}  // namespace

std::vector<ResultProblem> check_records(const ResultReader& file, const Dataset& inputs, const ResultLayout& layout) {
  Problems problems;
  RecordsChecker(file, inputs)(problems);
  check_variants(file, inputs, problems);
  std::set<std::string> found;
  for (const DataSetInfo& info : file.datasets()) found.insert(info.path);
  for (const Part& part : parts_of(layout)) {
    if (!found.contains(part.path)) problems.add(part.path, "missing", "the manifest asks for it");
  }
  return problems.list();
}

}  // namespace pleat
