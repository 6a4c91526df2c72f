#include "export/fasta.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "results/store_fixture.h"

namespace pleat {
namespace {

using ::testing::HasSubstr;

TEST(FastaEntryTest, HasHeaderAndLinesOfSixty) {
  Record record;
  record.id = "p1";
  StoredSequence sequence{std::string(120, 'A') + "C", std::vector<std::uint16_t>(121, 0)};
  EXPECT_EQ(fasta_entry(record, sequence), ">p1\n" + std::string(60, 'A') + "\n" + std::string(60, 'A') + "\nC\n");
  record.description = "some protein";
  sequence = {"ACD", {0, 0, 0}};
  EXPECT_EQ(fasta_entry(record, sequence), ">p1 some protein\nACD\n");
}

TEST(FastaEntryTest, JoinsChainsWithAColon) {
  Record record;
  record.id = "c";
  EXPECT_EQ(fasta_entry(record, {"ACDEF", {0, 0, 1, 2, 2}}), ">c\nAC:D:EF\n");
}

class ExportFastaTest : public StoreTest {
 protected:
  ExportFastaTest() {
    Dataset dataset = dataset_of({3, 5});
    dataset.records.push_back(dataset.records[0]);
    dataset.records.back().id = "again";
    dataset.records.push_back({"bad", "", -1, RecordStatus::rejected, "bad_residue", "residue 3 is '7'"});
    write_results(in_folder("x.h5"), full_layout(DType::float16), dataset, {0});  // p1 is never computed
  }
  std::string exported(const std::vector<std::string>& ids) const {
    std::string text;
    export_fasta(ResultReader(in_folder("x.h5")), ids, [&](std::string_view piece) { text += piece; });
    return text;
  }
};

TEST_F(ExportFastaTest, WritesEveryRecordThatHasASequence) {
  EXPECT_EQ(exported({}), ">p0\nACD\n>p1\nACDEF\n>again\nACD\n");
}

TEST_F(ExportFastaTest, WritesTheRecordsAskedFor) { EXPECT_EQ(exported({"again", "p1"}), ">p1\nACDEF\n>again\nACD\n"); }

TEST_F(ExportFastaTest, ListsWhatIsNotThere) {
  const Error error = error_of([&] { (void)exported({"p0", "none", "bad", "nil"}); });
  EXPECT_EQ(error.code(), ErrorCode::bad_input);
  EXPECT_THAT(error.what(), HasSubstr("'nil', 'none'"));
  EXPECT_THAT(error.what(), HasSubstr("'bad' (residue 3 is '7')"));
}

}  // namespace
}  // namespace pleat
