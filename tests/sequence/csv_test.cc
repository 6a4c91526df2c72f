// CSV and TSV: the header row, quotes and rows that do not fit.
#include "temporary_files.h"

namespace pleat {
namespace {

using testing::expect_error;
using Csv = testing::TemporaryFiles;

TEST_F(Csv, FindsItsColumnsByName) {
  const std::string text =
      "\xEF\xBB\xBFlength,Sequence, DESCRIPTION ,ID\r\n4,MVLS,alpha chain,HBA\r\n\r\n2, mk ,,x y/z\r\n";
  const Dataset data = read("a.csv", text);
  ASSERT_EQ(data.records.size(), 2U);
  EXPECT_EQ(data.records[0].id, "HBA");
  EXPECT_EQ(data.records[0].description, "alpha chain");
  EXPECT_EQ(data.sequences.residues(0), "MVLS");
  EXPECT_EQ(data.records[1].id, "x y/z");
  EXPECT_EQ(data.records[1].description, "");
  EXPECT_EQ(data.sequences.residues(1), "MK");
}

TEST_F(Csv, ReadsTabs) {
  const Dataset data = read("a.tsv", "id\tnote\tsequence\na, b\t\tMK\n\"c\td\"\tx\tMV\n\"e\"\t\t\"ML\"\n");
  ASSERT_EQ(data.records.size(), 3U);
  EXPECT_EQ(data.records[0].id, "a, b");
  EXPECT_EQ(data.records[1].id, "c\td");
  EXPECT_EQ(data.records[2].id, "e");
  EXPECT_EQ(data.sequences.all_residues(), "MKMVML");
}

TEST_F(Csv, FollowsTheQuotesOfRfc4180) {
  const std::string text =
      "id,description,sequence\n"
      "\"a,1\",\"said \"\"yes\"\"\",MK\n"
      "b,\"two\nlines, \r\nor three\",\"MV\"\n"
      "c,5'-3\" strand,ML\n"
      "d,\"\",MA";
  const Dataset data = read("a.csv", text);
  ASSERT_EQ(data.records.size(), 4U);
  EXPECT_EQ(data.records[0].id, "a,1");
  EXPECT_EQ(data.records[0].description, "said \"yes\"");
  EXPECT_EQ(data.records[1].description, "two\xEF\xBF\xBDlines, \xEF\xBF\xBDor three");
  EXPECT_EQ(data.records[1].error_code, record_code::description_changed);
  EXPECT_EQ(data.records[2].description, "5'-3\" strand");
  EXPECT_EQ(data.records[3].description, "");
  EXPECT_EQ(data.sequences.all_residues(), "MKMVMLMA");
}

TEST_F(Csv, RejectsRowsThatDoNotFitTheHeader) {
  const std::string text =
      "id,sequence,extra\n"
      "good,MK,1\n"
      "few\n"
      "many,MV,1,2\n"
      "empties,ML,1,,\n"
      "\"quote\"d,MA,1\n"
      "no_extra,MC\n";
  const Dataset data = read("a.csv", text);
  ASSERT_EQ(data.records.size(), 6U);
  EXPECT_EQ(data.sequences.all_residues(), "MKMLMC");
  for (const std::size_t row : {1U, 2U, 4U}) {
    EXPECT_EQ(data.records[row].status, RecordStatus::rejected) << row;
    EXPECT_EQ(data.records[row].error_code, record_code::bad_row) << row;
    EXPECT_EQ(data.records[row].sequence, -1) << row;
  }
  EXPECT_EQ(data.records[1].id, "few");
  EXPECT_EQ(data.records[1].message, "line 3: 1 values where the header row names 3 columns");
  EXPECT_EQ(data.records[2].message, "line 4: 4 values where the header row names 3 columns");
  EXPECT_EQ(data.records[4].message, "line 6: a value goes on after its closing quote");
}

TEST_F(Csv, RejectsAnEmptySequenceAndSkipsRowsWithoutValues) {
  const Dataset data = read("a.csv", "id,sequence\na,\n,\n , \n,MK\n");
  ASSERT_EQ(data.records.size(), 2U);
  EXPECT_EQ(data.records[0].error_code, record_code::empty_sequence);
  EXPECT_EQ(data.records[1].id, "unnamed_2");
}

TEST_F(Csv, RefusesAHeaderWithoutTheColumnsItNeeds) {
  expect_error(ErrorCode::bad_input, {"a.csv", "line 1", "'sequence'"},
               [&] { return read("a.csv", "id,seq\na,MK\n"); });
  expect_error(ErrorCode::bad_input, {"a.csv", "'id'"}, [&] { return read("a.csv", "sequence;id\nMK;a\n"); });
  expect_error(ErrorCode::bad_input, {"a.csv", "two columns", "'id'"},
               [&] { return read("a.csv", "id,ID,sequence\na,b,MK\n"); });
  expect_error(ErrorCode::bad_input, {"a.tsv", "'id'"}, [&] { return read("a.tsv", "id,sequence\na,MK\n"); });
}

TEST_F(Csv, RefusesAFileWithoutRows) {
  for (const std::string content : {"", "\n", "id,sequence\n", "id,sequence\n,\n"}) {
    expect_error(ErrorCode::bad_input, {"a.csv", "no record"}, [&] { return read("a.csv", content); });
  }
}

TEST_F(Csv, RefusesAQuoteThatIsNeverClosed) {
  expect_error(ErrorCode::bad_input, {"a.csv", "line 3", "never closed"},
               [&] { return read("a.csv", "id,sequence\na,MK\nb,\"MV\nc,ML\n"); });
}

}  // namespace
}  // namespace pleat
