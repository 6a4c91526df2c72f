#include "runtime/outcomes.h"

#include <gmock/gmock.h>

namespace pleat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Five records of three unique sequences, and one that was refused.
Dataset some_dataset() {
  Dataset dataset;
  const std::vector<std::uint16_t> chain(3);
  for (const char* residues : {"ACD", "EFG", "HIK"}) dataset.sequences.append(residues, chain);
  for (const std::int64_t row : {0, 1, 1, 2, 1}) {
    Record record;
    record.sequence = row;
    dataset.records.push_back(record);
  }
  Record refused;
  refused.status = RecordStatus::rejected;
  dataset.records.push_back(refused);
  return dataset;
}

SequenceResult result_of(std::int64_t row, bool failed, const char* code) {
  SequenceResult result;
  result.row = row;
  result.failed = failed;
  result.error_code = code;
  return result;
}

TEST(OutcomesTest, CountRecordsAndNotSequences) {
  const Dataset dataset = some_dataset();
  Outcomes outcomes(dataset);
  outcomes.add(result_of(2, true, "not_finite"));
  outcomes.add(result_of(1, false, "suspicious_structure"));
  outcomes.add(result_of(0, false, ""));
  RunSummary summary;
  outcomes.count_records(summary);
  EXPECT_EQ(summary.records, 6);
  EXPECT_EQ(summary.ok, 4);
  EXPECT_EQ(summary.failed, 1);
  EXPECT_EQ(summary.rejected, 1);
  EXPECT_EQ(summary.skipped, 0);
  EXPECT_THAT(outcomes.warnings(), ElementsAre("3 records with suspicious_structure; /records/message says more"));
}

TEST(OutcomesTest, WarnOncePerKindOfNote) {
  const Dataset dataset = some_dataset();
  Outcomes outcomes(dataset);
  EXPECT_THAT(outcomes.warnings(), IsEmpty());
  outcomes.add(result_of(0, false, "suspicious_structure"));
  outcomes.add(result_of(2, false, "no_structure_file"));
  EXPECT_THAT(outcomes.warnings(), ElementsAre("1 record with no_structure_file; /records/message says more",
                                               "1 record with suspicious_structure; /records/message says more"));
}

TEST(AddNote, KeepsTheFirstCodeAndBothMessages) {
  SequenceResult result;
  add_note(result, RecordCode::no_structure_file, "first");
  EXPECT_EQ(result.error_code, "no_structure_file");
  EXPECT_EQ(result.message, "first");
  add_note(result, RecordCode::suspicious_structure, "second");
  EXPECT_EQ(result.error_code, "no_structure_file");
  EXPECT_EQ(result.message, "first; second");
  EXPECT_FALSE(result.failed);
}

}  // namespace
}  // namespace pleat
