// Names and sharing: odd ids, duplicate ids, duplicate sequences.
#include "temporary_files.h"

namespace pleat {
namespace {

using Records = testing::TemporaryFiles;

constexpr const char* replacement = "\xEF\xBF\xBD";

TEST_F(Records, OddIdsAreKept) {
  const std::string long_id(10'000, 'i');
  const std::string utf8 = "prot\xC3\xA9ine-\xE8\x9B\x8B\xE7\x99\xBD-\xF0\x9F\xA7\xAC";
  const Dataset data =
      read("a.fasta", ">../../etc/a\\b|c d\nMK\n>" + long_id + "\nMV\n>" + utf8 + " " + utf8 + "\nML\n");
  ASSERT_EQ(data.records.size(), 3U);
  EXPECT_EQ(data.records[0].id, "../../etc/a\\b|c");
  EXPECT_EQ(data.records[1].id, long_id);
  EXPECT_EQ(data.records[2].id, utf8);
  EXPECT_EQ(data.records[2].description, utf8);
  for (const Record& record : data.records) EXPECT_EQ(record.message, "");
}

TEST_F(Records, ARecordWithoutIdGetsOne) {
  const Dataset data = read("a.fasta", ">a\nMK\n> \t\nMJ\n>\nM-\n");
  ASSERT_EQ(data.records.size(), 3U);
  EXPECT_EQ(data.records[1].id, "unnamed_2");
  EXPECT_EQ(data.records[1].description, "");
  EXPECT_EQ(data.records[1].error_code, RecordCode::residues_converted);
  EXPECT_EQ(data.records[1].message,
            "letters outside the model's alphabet became X: 1 J; the record has no id and is called 'unnamed_2'");
  EXPECT_EQ(data.records[2].id, "unnamed_3");
  EXPECT_EQ(data.records[2].error_code, RecordCode::bad_residue);
  EXPECT_EQ(data.records[2].message, "'-' at position 2 is not a residue");
}

TEST_F(Records, WhatIsNotUtf8IsReadAsWindows1252) {
  struct Case {
    std::string given;
    std::string kept;
  };
  const std::string r = replacement;
  const Case cases[] = {
      {"caf\xE9", "caf\xC3\xA9"},
      {"\x80z\x9F", "\xE2\x82\xACz\xC5\xB8"},        // the euro sign, and the last of those beside Latin-1
      {"\xC3\xA9\xE9", "\xC3\x83\xC2\xA9\xC3\xA9"},  // not all of it is UTF-8
      {"\xC0\xAF", "\xC3\x80\xC2\xAF"},              // overlong, and so no UTF-8
      {"\xE0\xB8\xFF", "\xC3\xA0\xC2\xB8\xC3\xBF"},
      {"\xED\xA0\xBF", "\xC3\xAD\xC2\xA0\xC2\xBF"},      // a surrogate
      {"a\x81\x9D", "a" + r + r},                        // bytes without a character
      {"a\x1B[31m", "a" + r + "[31m"},                   // an escape sequence for terminals
      {"a\xC2\x9B[31m", "a" + r + "[31m"},               // the same as one character, U+009B
      {"\xF4\x8F\xBF\xBF\x7F", "\xF4\x8F\xBF\xBF" + r},  // the last character, then DEL
  };
  for (const Case& c : cases) {
    const Dataset data = read("a.fasta", ">" + c.given + " " + std::string(100, 'x') + "\nMK\n");
    EXPECT_EQ(data.records[0].id, c.kept);
    EXPECT_EQ(data.records[0].status, RecordStatus::ok);
    EXPECT_EQ(data.records[0].error_code, RecordCode::id_changed);
    const Dataset described = read("a.fasta", ">a" + std::string(100, 'x') + " " + c.given + "\nMK\n");
    EXPECT_EQ(described.records[0].description, c.kept);
    EXPECT_EQ(described.records[0].error_code, RecordCode::description_changed);
  }
}

TEST_F(Records, DuplicateIdsStayApartWithOneWarning) {
  const Dataset data = read("a.fasta", ">a\nMK\n>b\nMV\n>a\nML\n>a\nMA\n>b\nMK\n>c\nMK\n");
  ASSERT_EQ(data.records.size(), 6U);
  EXPECT_EQ(data.records[2].id, "a");
  EXPECT_EQ(data.records[2].sequence, 2);
  ASSERT_EQ(data.warnings.size(), 1U);
  EXPECT_EQ(data.warnings[0], "2 ids occur more than once ('a', 'b'); the records stay apart, each in its own row");
}

TEST_F(Records, DuplicateIdsAreSeenAcrossFilesAndShortened) {
  const std::string id = std::string(70, 'n') + "\xC3\xA9";
  const auto first = write("1.fasta", ">" + id + "\nMK\n");
  const auto second = write("2.csv", "id,sequence\n" + id + ",MV\n");
  const Dataset data = read_inputs({first, second}, {});
  ASSERT_EQ(data.warnings.size(), 1U);
  EXPECT_EQ(data.warnings[0], "1 id occurs more than once ('" + std::string(60, 'n') +
                                  "...'); the records stay apart, each in its own row");
}

TEST_F(Records, EqualSequencesShareARow) {
  const std::string text = ">a\nMKVL\n>b\nMK:VL\n>c\nmk\nvl*\n>d\nM:KVL\n>e\nMK:VL\n>f\nMJ\n>g\nMX\n";
  const Dataset data = read("a.fasta", text);
  std::vector<std::int64_t> rows;
  for (const Record& record : data.records) rows.push_back(record.sequence);
  EXPECT_EQ(rows, (std::vector<std::int64_t>{0, 1, 0, 2, 1, 3, 3}));
  EXPECT_EQ(data.sequences.size(), 4);
  EXPECT_EQ(data.records[5].error_code, RecordCode::residues_converted);
  EXPECT_EQ(data.records[6].error_code, "");

  const Dataset separate = read("a.fasta", text, {.share_duplicates = false});
  EXPECT_EQ(separate.sequences.size(), 7);
  EXPECT_EQ(separate.records[6].sequence, 6);
}

TEST_F(Records, ManySequencesKeepTheirRows) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) {
    std::string residues = "M";
    for (int n = i % 10'000; n > 0; n /= 20) residues += "ACDEFGHIKLMNPQRSTVWY"[n % 20];
    text += ">r" + std::to_string(i) + "\n" + residues + "\n";
  }
  const Dataset data = read("a.fasta", text);
  ASSERT_EQ(data.records.size(), 20'000U);
  EXPECT_EQ(data.sequences.size(), 10'000);
  for (std::int64_t i = 0; i < 20'000; ++i) {
    ASSERT_EQ(data.records[static_cast<std::size_t>(i)].sequence, i % 10'000);
  }
}

TEST_F(Records, TheHashIsOfNamesResiduesChainsAndRefusals) {
  const auto hash = [&](const std::string& text) { return read("a.fasta", text).sha256; };
  const std::string plain = hash(">a d\nMKV\n>b\nMK\n");
  EXPECT_EQ(plain.size(), 64U);
  EXPECT_EQ(hash(">a d\nMK\nV\n>b\nmk*\n"), plain);  // the same records, written another way
  for (const char* other : {">a d\nMKV\n>b\nML\n", ">a e\nMKV\n>b\nMK\n", ">a d\nMKV\n>c\nMK\n", ">b\nMK\n>a d\nMKV\n",
                            ">a d\nMKV\n>b\nM:K\n", ">a d\nMKV\n>b\nM-\n", ">a d\nMKV\n"}) {
    EXPECT_NE(hash(other), plain) << other;
  }
}

}  // namespace
}  // namespace pleat
