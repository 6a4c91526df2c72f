// The FASTA format: headers, lines, comments and what is not FASTA.
#include "temporary_files.h"

namespace pleat {
namespace {

using testing::expect_error;
using Fasta = testing::TemporaryFiles;

TEST_F(Fasta, SplitsTheHeaderAtTheFirstBlank) {
  const Dataset data =
      read("a.fasta", ">sp|P69905|HBA_HUMAN  Hemoglobin subunit alpha \nMVLS\n>b\tc d\nPADK\n>e\nMK\n");
  ASSERT_EQ(data.records.size(), 3U);
  EXPECT_EQ(data.records[0].id, "sp|P69905|HBA_HUMAN");
  EXPECT_EQ(data.records[0].description, "Hemoglobin subunit alpha");
  EXPECT_EQ(data.records[1].id, "b");
  EXPECT_EQ(data.records[1].description, "c d");
  EXPECT_EQ(data.records[2].description, "");
  for (const Record& record : data.records) {
    EXPECT_EQ(record.status, RecordStatus::ok);
    EXPECT_EQ(record.error_code, "");
    EXPECT_EQ(record.message, "");
  }
  EXPECT_EQ(data.records[2].sequence, 2);
  EXPECT_EQ(data.sequences.residues(2), "MK");
  EXPECT_TRUE(data.warnings.empty());
}

TEST_F(Fasta, JoinsLinesWhateverTheirEnds) {
  for (const std::string end : {"\n", "\r\n", "\r", "\r\r\n"}) {
    const std::string text = end + ">a first" + end + "MKV" + end + end + "  LAA\t " + end + ">b" + end + "PPP";
    for (const std::string& content : {text, text + end}) {
      const Dataset data = read("a.fa", content);
      ASSERT_EQ(data.records.size(), 2U);
      EXPECT_EQ(data.records[0].description, "first");
      EXPECT_EQ(data.sequences.all_residues(), "MKVLAAPPP");
    }
  }
}

TEST_F(Fasta, SkipsCommentsAndTheByteOrderMark) {
  const Dataset data = read("a.faa", "\xEF\xBB\xBF;made by hand\n>a\nMK\n; half way\nVL\n");
  ASSERT_EQ(data.records.size(), 1U);
  EXPECT_EQ(data.records[0].id, "a");
  EXPECT_EQ(data.sequences.residues(0), "MKVL");
}

TEST_F(Fasta, JoinsLinesThatCrossTheReadBuffer) {
  std::string text = ">long\n";
  std::string residues;
  for (int i = 0; i < 40000; ++i) {
    const std::string line(static_cast<std::size_t>(i % 60 + 1), "ACDEFGHIKLMNPQRSTVWY"[i % 20]);
    residues += line;
    text += line + "\r\n";
  }
  for (const auto& data : {read("a.fasta", text), read("a.fasta.gz", testing::gzip(text))}) {
    ASSERT_EQ(data.sequences.size(), 1);
    EXPECT_EQ(data.sequences.residues(0), residues);
  }
}

TEST_F(Fasta, ReadsOneLineOfAHundredThousandResidues) {
  const std::string residues(100'000, 'A');
  const Dataset data = read("a.fasta", ">giant\n" + residues + "\n>next\nMK\n");
  EXPECT_EQ(data.sequences.residues(0), residues);
  EXPECT_EQ(data.sequences.residues(1), "MK");
}

TEST_F(Fasta, RejectsARecordWithoutSequence) {
  const Dataset data = read("a.fasta", ">a\n>b\nMK\n>c last one\n\n");
  ASSERT_EQ(data.records.size(), 3U);
  EXPECT_EQ(data.records[0].status, RecordStatus::rejected);
  EXPECT_EQ(data.records[0].error_code, record_code::empty_sequence);
  EXPECT_EQ(data.records[0].sequence, -1);
  EXPECT_EQ(data.records[0].id, "a");
  EXPECT_EQ(data.records[1].sequence, 0);
  EXPECT_EQ(data.records[2].error_code, record_code::empty_sequence);
  EXPECT_EQ(data.records[2].description, "last one");
}

TEST_F(Fasta, RefusesTextBeforeTheFirstHeader) {
  expect_error(ErrorCode::bad_input, {"lost.fasta", "line 3", "before the first header"},
               [&] { return read("lost.fasta", "\n;x\nMKV\n>a\nMK\n"); });
}

TEST_F(Fasta, RefusesFilesWithoutAnyRecord) {
  for (const std::string content : {"", "\n\n", "; only a comment\n", "\xEF\xBB\xBF"}) {
    expect_error(ErrorCode::bad_input, {"empty.fasta", "no record"}, [&] { return read("empty.fasta", content); });
  }
}

TEST_F(Fasta, RefusesALineOver64MiB) {
  std::string text = ">a\n";
  text.append((std::size_t{64} << 20U) + 1, 'A');
  expect_error(ErrorCode::bad_input, {"big.fasta", "line 2", "64 MiB"}, [&] { return read("big.fasta", text); });
}

TEST_F(Fasta, RejectsASequenceOver64MiBInManyLines) {
  std::string text = ">a\n";
  const std::string line = std::string((1U << 20U) - 1, 'A') + "\n";
  for (int i = 0; i < 65; ++i) text += line;
  const Dataset data = read("genome.fasta", text + ">b\nMK\n");
  ASSERT_EQ(data.records.size(), 2U);
  EXPECT_EQ(data.records[0].error_code, record_code::too_long);
  EXPECT_EQ(data.sequences.all_residues(), "MK");
}

}  // namespace
}  // namespace pleat
