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

TEST_F(Csv, FindsTheDelimiterAndTheUsualNames) {
  for (const std::string text :
       {"name,seq\na,MK\n", "Entry\tReviewed\tEntry Name\tSequence\na\tr\tA_B\tMK\n", "PROTEIN_ID;AA_Sequence\na;MK\n",
        "accession|protein_sequence\na|MK\n", "header,Sequence\na,MK\n", "# a comment\n#another\nid,sequence\na,MK\n",
        "sep=;\nid;sequence\na;MK\n", "\xEF\xBB\xBFsep=,\r\n\"id\",\"sequence\"\r\na,MK\r\n", "#id\tsequence\na\tMK\n",
        "\n\nprotein,seq\na,MK\n", "id,name,sequence\na,b,MK\n", "id,sequence\na,MK\n\x1A",
        "sep=|\nid|sequence\na|MK\n"}) {
    const Dataset data = read("a.txt", text);
    ASSERT_EQ(data.records.size(), 1U) << text;
    EXPECT_EQ(data.records[0].id, "a") << text;
    EXPECT_EQ(data.records[0].message, "") << text;
    EXPECT_EQ(data.sequences.all_residues(), "MK") << text;
  }
}

TEST_F(Csv, UnderstandsHeadersAsSpreadsheetsWriteThem) {
  for (const char* const table : {"Protein ID,Protein Sequence\na,MK\n", "\"sep=,\"\nid,sequence\na,MK\n",
                                  "sep=\t\nid\tsequence\na\tMK\n", "\"sep=;\"\n\"id\";\"AA sequence\"\na;MK\n"}) {
    const Dataset data = read("a.csv", table);
    ASSERT_EQ(data.records.size(), 1U) << table;
    EXPECT_EQ(data.records[0].id, "a");
    EXPECT_EQ(data.sequences.all_residues(), "MK");
  }
  expect_error(ErrorCode::missing_input, {"two columns are named 'protein_id'"},
               [&] { return read("b.csv", "Protein ID,protein_id,seq\na,b,MK\n"); });
}

TEST_F(Csv, TakesTheColumnsThatAreNamed) {
  InputFile file(write("a.txt", "Gene;Translation;Product;id;sequence\ng1;MK;kinase;x;PP\n"));
  file.id_column = "gene";
  file.sequence_column = "Translation";
  file.description_column = "Product";
  const Dataset data = read_inputs({file}, {});
  EXPECT_EQ(data.records[0].id, "g1");
  EXPECT_EQ(data.records[0].description, "kinase");
  EXPECT_EQ(data.sequences.all_residues(), "MK");
  file.sequence_column = "Peptide";
  expect_error(ErrorCode::missing_input, {"no column is called 'Peptide'", "'Gene', 'Translation'"},
               [&] { return read_inputs({file}, {}); });
  InputFile spaces(write("b.txt", "id sequence\na MK\n"));
  spaces.format = InputFormat::csv;
  spaces.delimiter = ' ';
  EXPECT_EQ(read_inputs({spaces}, {}).sequences.all_residues(), "MK");
}

TEST_F(Csv, AQuoteIsACharacterBetweenTabs) {
  const Dataset data =
      read("a.tsv", "id\tdescription\tsequence\na\t\"Ghost\" protein\tMK\nb\t\"half\tMV\nc\tx \"y\tML\n");
  ASSERT_EQ(data.records.size(), 3U);
  EXPECT_EQ(data.records[0].description, "\"Ghost\" protein");
  EXPECT_EQ(data.records[1].description, "\"half");
  EXPECT_EQ(data.sequences.all_residues(), "MKMVML");
  // Unless the header has them too, as R writes it.
  const Dataset quoted = read("b.tsv", "\"id\"\t\"sequence\"\n\"c\td\"\t\"MK\"\n");
  ASSERT_EQ(quoted.records.size(), 1U);
  EXPECT_EQ(quoted.records[0].id, "c\td");
}

TEST_F(Csv, AMissingValueRejectsTheRow) {
  const Dataset data = read("a.csv", "id,sequence\na,NA\nb,\nc,null\n,MK\nnan,MV\nd,\"NA\"\ne,N/A\nf,NAN\n");
  ASSERT_EQ(data.records.size(), 8U);
  for (const std::size_t row : {0U, 1U, 2U, 3U, 4U, 6U, 7U}) {
    EXPECT_EQ(data.records[row].error_code, RecordCode::missing_value) << row;
    EXPECT_EQ(data.records[row].status, RecordStatus::rejected) << row;
  }
  EXPECT_EQ(data.records[0].message, "line 2: the row has no sequence: 'NA' without quotes stands for nothing");
  EXPECT_EQ(data.records[1].message, "line 3: the row has no sequence");
  EXPECT_EQ(data.records[3].message, "line 5: the row has no id");
  EXPECT_EQ(data.records[3].id, "unnamed_4");
  EXPECT_EQ(data.sequences.all_residues(), "NA");  // asparagine and alanine, in quotes
}

TEST_F(Csv, LineBreaksOfASpreadsheetAreLeftOut) {
  const Dataset data = read("a.csv", "\xEF\xBB\xBFid,sequence\r\nexcel,\"MKTAY\r\nIAKQR\"\r\n");
  EXPECT_EQ(data.sequences.all_residues(), "MKTAYIAKQR");
  EXPECT_EQ(data.records[0].error_code, RecordCode::sequence_cleaned);
  EXPECT_EQ(data.records[0].message, "1 blank left out");
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
  EXPECT_EQ(data.records[1].error_code, RecordCode::description_changed);
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
    EXPECT_EQ(data.records[row].error_code, RecordCode::bad_row) << row;
    EXPECT_EQ(data.records[row].sequence, -1) << row;
  }
  EXPECT_EQ(data.records[1].id, "few");
  EXPECT_EQ(data.records[1].message, "line 3: 1 values where the header row names 3 columns");
  EXPECT_EQ(data.records[2].message, "line 4: 4 values where the header row names 3 columns");
  EXPECT_EQ(data.records[4].message, "line 6: a value goes on after its closing quote");
}

TEST_F(Csv, SkipsRowsWithoutValues) {
  EXPECT_EQ(read("a.csv", "id,sequence\na,MK\n,\n , \n\nb,MV\n").records.size(), 2U);
}

TEST_F(Csv, RefusesAHeaderWithoutTheColumnsItNeeds) {
  expect_error(ErrorCode::missing_input, {"a.csv", "line 2", "no column for the sequence", "'id', 'letters'"},
               [&] { return read("a.csv", "# x\nid,letters\na,MK\n"); });
  expect_error(ErrorCode::missing_input, {"no column for the id", "divided by a tab", "'x', 'sequence'"},
               [&] { return read("a.csv", "x\tsequence\nMK\ta\n"); });
  expect_error(ErrorCode::missing_input, {"a.csv", "two columns", "'id'"},
               [&] { return read("a.csv", "id,ID,sequence\na,b,MK\n"); });
}

TEST_F(Csv, AQuoteThatIsNeverClosedRejectsItsRow) {
  const Dataset data = read("a.csv", "id,sequence\na,MK\nb,\"MV\nc,ML\n");
  ASSERT_EQ(data.records.size(), 2U);
  EXPECT_EQ(data.records[0].status, RecordStatus::ok);
  EXPECT_EQ(data.records[1].id, "b");
  EXPECT_EQ(data.records[1].error_code, RecordCode::cut_off);
  EXPECT_EQ(data.inputs[0].problem, input_problem::cut_off);
  EXPECT_NE(data.inputs[0].message.find("line 3: a quote is never closed"), std::string::npos);
}

}  // namespace
}  // namespace pleat
