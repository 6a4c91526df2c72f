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

TEST_F(Fasta, HeadersMayBeIndentedAndJoinedFilesMayHaveTheirMarks) {
  const Dataset data = read("a.fa",
                            "  >a one\nMK\n\t> b\nVL\n\xEF\xBB\xBF>c\nPP\n>\xC2\xA0 d\nGG\n>\x01 e\x01"
                            "f\nAA\n");
  std::vector<std::string> ids;
  for (const Record& record : data.records) ids.push_back(record.id);
  EXPECT_EQ(ids, (std::vector<std::string>{"a", "b", "c", "d", "e"}));
  EXPECT_EQ(data.sequences.all_residues(), "MKVLPPGGAA");
}

TEST_F(Fasta, NumbersAtTheEndsOfLinesAreLeftOut) {
  const std::string genbank = "        1 mktayiakqr qisfvkshfs\n       21 rqleerlgli\n";
  const std::string swissprot = "     MKTAYIAKQR QISFVKSHFS         20\n     RQLEERLGLI                    30\n";
  const std::string page = "        10         20\nMKTAYIAKQR QISFVKSHFS\n        30\nRQLEERLGLI\n";
  for (const std::string& lines : {genbank, swissprot, page}) {
    const Dataset data = read("a.fa", ">a\n" + lines);
    EXPECT_EQ(data.sequences.all_residues(), "MKTAYIAKQRQISFVKSHFSRQLEERLGLI") << lines;
    EXPECT_EQ(data.records[0].error_code, RecordCode::sequence_cleaned) << lines;
  }
  // A header that has lost its '>' is no number.
  for (const char* const lost : {"4HHB", "MK 4HHB", "MK4", "10MK"}) {
    EXPECT_EQ(read("a.fa", std::string(">a\nMK\n") + lost + "\n").records[0].error_code, RecordCode::bad_residue);
  }
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
  EXPECT_EQ(data.records[0].error_code, RecordCode::empty_sequence);
  EXPECT_EQ(data.records[0].sequence, -1);
  EXPECT_EQ(data.records[0].id, "a");
  EXPECT_EQ(data.records[1].sequence, 0);
  EXPECT_EQ(data.records[2].error_code, RecordCode::empty_sequence);
  EXPECT_EQ(data.records[2].description, "last one");
}

TEST_F(Fasta, RefusesTextBeforeTheFirstHeader) {
  expect_error(ErrorCode::missing_input, {"lost.fasta", "line 3", "'MKV'"},
               [&] { return read("lost.fasta", "\n;x\nMKV\n>a\nMK\n"); });
  InputFile file(write("lost.fasta", "MKV\n>a\nMK\n"));
  file.format = InputFormat::fasta;
  expect_error(ErrorCode::missing_input, {"text before the first header: 'MKV'"},
               [&] { return read_inputs({file}, {}); });
  EXPECT_EQ(read("comment.fasta", "# made by hand\n>a\nMK\n").records.size(), 1U);
}

TEST_F(Fasta, SkipsBlanksBehindTheSign) {
  const Dataset data = read("a.fasta", "> P12345 first\nMK\n>\tP67890\tsecond\nMV\n");
  EXPECT_EQ(data.records[0].id, "P12345");
  EXPECT_EQ(data.records[0].description, "first");
  EXPECT_EQ(data.records[1].id, "P67890");
  EXPECT_EQ(data.records[1].message, "");
}

TEST_F(Fasta, ControlADividesHeaders) {
  std::string many = ">WP_0.1 protein S21 [Vibrio]";
  for (int i = 0; i < 60; ++i) many += "\x01WP_" + std::to_string(i) + ".1 S";
  const Dataset data = read("nr.fasta", many +
                                            "\nMK\n>b\x01"
                                            "c\nMV\n");
  ASSERT_EQ(data.records.size(), 2U);
  EXPECT_EQ(data.records[0].id, "WP_0.1");
  EXPECT_EQ(data.records[0].description.substr(0, 40), "protein S21 [Vibrio] >WP_0.1 S >WP_1.1 S");
  EXPECT_EQ(data.records[0].message, "");
  EXPECT_EQ(data.records[1].id, "b");
  EXPECT_EQ(data.records[1].description, ">c");
}

TEST_F(Fasta, AControlZAtTheEndIsLeftOut) {
  for (const std::string end : {"\x1A", "\n\x1A", "\r\n\x1A\r\n"}) {
    const Dataset data = read("dos.fasta", ">a\r\nMK" + end);
    EXPECT_EQ(data.sequences.all_residues(), "MK");
    EXPECT_EQ(data.records[0].message, "");
  }
}

TEST_F(Fasta, LeavesOutTheNumbersAtTheStartsOfLines) {
  const Dataset data = read("a.fasta", ">g\n        1 mktayiakqr qisfvkshfs\n       21 rqleerlgli\n>n\n1MK\n");
  EXPECT_EQ(data.sequences.all_residues(), "MKTAYIAKQRQISFVKSHFSRQLEERLGLI");
  EXPECT_EQ(data.records[0].error_code, RecordCode::sequence_cleaned);
  EXPECT_EQ(data.records[0].message, "1 blank and 2 line numbers left out");
  EXPECT_EQ(data.records[1].error_code, RecordCode::bad_residue);
  const Dataset strict = read("a.fasta", ">g\n 1 MKTAY\n", {.strict = true});
  EXPECT_EQ(strict.records[0].error_code, RecordCode::bad_residue);
}

TEST_F(Fasta, AHeaderInsideALineIsLost) {
  const Dataset data = read("a.fasta", ">a\nMKTAY>b second\nGGGG\n>c\nPP\n");
  ASSERT_EQ(data.records.size(), 2U);
  EXPECT_EQ(data.records[0].error_code, RecordCode::lost_header);
  EXPECT_EQ(data.records[0].message,
            "'>' at position 6: a header does not begin its line, so that two records run into each other");
  EXPECT_EQ(data.sequences.all_residues(), "PP");
}

TEST_F(Fasta, ALineOver64MiBEndsItsFile) {
  std::string text = ">good\nPP\n>a\n";
  text.append((std::size_t{64} << 20U) + 1, 'A');
  const Dataset data = read("big.fasta", text);
  ASSERT_EQ(data.records.size(), 2U);
  EXPECT_EQ(data.records[1].error_code, RecordCode::cut_off);
  EXPECT_NE(data.inputs[0].message.find("line 4: the line is longer than 64 MiB"), std::string::npos);
}

TEST_F(Fasta, RejectsASequenceOver64MiBInManyLines) {
  std::string text = ">a\n";
  const std::string line = std::string((1U << 20U) - 1, 'A') + "\n";
  for (int i = 0; i < 65; ++i) text += line;
  const Dataset data = read("genome.fasta", text + ">b\nMK\n");
  ASSERT_EQ(data.records.size(), 2U);
  EXPECT_EQ(data.records[0].error_code, RecordCode::too_long);
  EXPECT_EQ(data.sequences.all_residues(), "MK");
}

}  // namespace
}  // namespace pleat
