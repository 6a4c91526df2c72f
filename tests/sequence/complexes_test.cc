// Complexes of two records each: which there are, what they are called, what is refused.
#include "sequence/complexes.h"

#include <gmock/gmock.h>

#include <csignal>
#include <set>

#include "temporary_files.h"

namespace pleat {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr const char* three = ">p1 first\nMKV\n>p2\nAC:DE\n>p3\nGGG\n";

class ComplexesTest : public testing::TemporaryFiles {
 protected:
  [[nodiscard]] Dataset make(const PairRule& rule, std::string_view fasta = three,
                             const ReadOptions& options = {}) const {
    return Complexes({write("in.fasta", fasta)}, rule, options).dataset();
  }
  [[nodiscard]] PairRule table(std::string_view text, const std::string& name = "pairs.tsv") const {
    return {.file = write(name, text)};
  }
  // A complex as it would be written: "MKV:AC:DE".
  static std::string written(const Dataset& data, std::int64_t record) {
    const std::int64_t row = data.records[static_cast<std::size_t>(record)].sequence;
    if (row < 0) return "-";
    std::string text;
    const auto chain = data.sequences.chain(row);
    for (std::size_t i = 0; i < chain.size(); ++i) {
      if (i > 0 && chain[i] != chain[i - 1]) text += ':';
      text += data.sequences.residues(row)[i];
    }
    return text;
  }
  static std::vector<std::string> ids(const Dataset& data) {
    std::vector<std::string> found;
    for (const Record& record : data.records) found.push_back(record.id);
    return found;
  }
};

// Half a billion pairs take minutes to put together.
TEST_F(ComplexesTest, ASignalEndsTheirMaking) {
  StopToken stop;
  ReadOptions options;
  options.stop = &stop;
  const Complexes complexes({write("in.fasta", three)}, {}, options);
  EXPECT_EQ(complexes.dataset().records.size(), 3U);
  stop.request_signal(SIGINT);
  EXPECT_THROW(static_cast<void>(complexes.dataset()), Stopped);
  EXPECT_THROW(static_cast<void>(complexes.shard({1, 1, 1}, 1, 1)), Stopped);
}

TEST_F(ComplexesTest, ATableNamesThePairs) {
  const Dataset data = make(table("a\tb\np1\tp2\np3\tp1\np1\tp1\n"));
  EXPECT_THAT(ids(data), ElementsAre("p1_p2", "p3_p1", "p1_p1"));
  EXPECT_EQ(written(data, 0), "MKV:AC:DE");
  EXPECT_EQ(written(data, 1), "GGG:MKV");
  EXPECT_EQ(written(data, 2), "MKV:MKV");
  EXPECT_EQ(data.records[0].description, "");
  EXPECT_THAT(*data.parts, ElementsAre(ElementsAre("p1", "p2"), ElementsAre("p3", "p1"), ElementsAre("p1", "p1")));
  ASSERT_EQ(data.inputs.size(), 2U);
  EXPECT_EQ(data.inputs[0].records, 3);
  EXPECT_EQ(data.inputs[1].path, (folder() / "pairs.tsv").string());
  EXPECT_EQ(data.inputs[1].records, 3);
  EXPECT_EQ(data.inputs[1].format, "pairs");
  EXPECT_EQ(data.inputs[1].sha256.size(), 64U);
  EXPECT_THAT(data.warnings, IsEmpty());
}

TEST_F(ComplexesTest, TablesOfEveryForm) {
  const std::vector<std::pair<std::string, std::string>> forms{
      {"commas", "a,b\np1,p2\n"},
      {"semicolons and more columns", "n;B;score;A\n1;p2;0.5;p1\n"},
      {"a byte order mark, quotes and CR LF", "\xEF\xBB\xBF\"a\",\"b\"\r\n\"p1\",\"p2\"\r\n"},
      {"a comment and sep=", "# of the screen\nsep=|\na|b\np1|p2\n"},
      {"a header behind #", "#a\tb\np1\tp2\n"},
      {"gzip", testing::gzip("a\tb\np1\tp2\n")},
      {"no line end and blanks", "a , b\n p1 , p2"},
  };
  for (const auto& [name, text] : forms) {
    const Dataset data = make(table(text));
    ASSERT_THAT(ids(data), ElementsAre("p1_p2")) << name;
    EXPECT_EQ(written(data, 0), "MKV:AC:DE") << name;
  }
  EXPECT_EQ(make(table(testing::gzip("a\tb\np1\tp2\n"))).inputs[1].format, "pairs, gzip");
}

TEST_F(ComplexesTest, ColumnsMayHaveOtherNames) {
  PairRule rule = table("prey,bait\np2,p1\n");
  rule.columns = {"Bait", "prey"};
  EXPECT_EQ(written(make(rule), 0), "MKV:AC:DE");
}

TEST_F(ComplexesTest, AColumnNamesTheComplexes) {
  const Dataset data = make(table("id,a,b\nfirst,p1,p2\n,p1,p3\nNA,p2,p3\nagain,p1,p2\n"));
  EXPECT_THAT(ids(data), ElementsAre("first", "p1_p3", "p2_p3", "again"));
  EXPECT_EQ(data.records[0].sequence, data.records[3].sequence);
}

TEST_F(ComplexesTest, TheSeparatorIsFree) {
  PairRule rule = table("a,b\np1,p2\n");
  rule.separator = "-and-";
  EXPECT_THAT(ids(make(rule)), ElementsAre("p1-and-p2"));
}

TEST_F(ComplexesTest, AllVsAll) {
  EXPECT_THAT(ids(make({})), ElementsAre("p1_p2", "p1_p3", "p2_p3"));
  EXPECT_THAT(ids(make({.self = true})), ElementsAre("p1_p1", "p1_p2", "p1_p3", "p2_p2", "p2_p3", "p3_p3"));
  EXPECT_EQ(written(make({}), 2), "AC:DE:GGG");
}

TEST_F(ComplexesTest, BaitsVsAll) {
  PairRule rule{.baits = {{"p3", "p1", "p3"}}};
  EXPECT_THAT(ids(make(rule)), ElementsAre("p3_p1", "p3_p2", "p1_p2"));
  rule.self = true;
  EXPECT_THAT(ids(make(rule)), ElementsAre("p3_p1", "p3_p2", "p3_p3", "p1_p1", "p1_p2"));
  testing::expect_error(ErrorCode::bad_manifest, {"'pairs.baits': no record is called 'P3'", "did you mean 'p3'"},
                        [&] { return make({.baits = {{"P3"}}}); });
}

TEST_F(ComplexesTest, OneRecordMakesNoPair) {
  const Dataset data = make({}, ">a\nMK\n");
  EXPECT_THAT(data.records, IsEmpty());
  EXPECT_TRUE(data.parts.has_value());
  EXPECT_THAT(data.warnings, ElementsAre(StartsWith("of 1 record no pair can be made; pairs.self: true")));
}

TEST_F(ComplexesTest, NamesThatAreNotThereRejectThePair) {
  const Dataset data = make(table("a,b\np1,p9\nnobody,none at all\np1,p2\n"));
  EXPECT_EQ(data.records[0].error_code, RecordCode::unknown_part);
  EXPECT_THAT(data.records[0].message, StartsWith("no record is called 'p9'; did you mean 'p1'?"));
  EXPECT_EQ(data.records[1].status, RecordStatus::rejected);
  EXPECT_EQ(data.records[1].message, "no record is called 'nobody'; no record is called 'none at all'");
  EXPECT_EQ(data.records[1].id, "nobody_none at all");
  EXPECT_THAT((*data.parts)[1], ElementsAre("nobody", "none at all"));
  EXPECT_EQ(data.records[2].status, RecordStatus::ok);
}

TEST_F(ComplexesTest, AnAccessionPointsToItsUniprotId) {
  const Dataset data = make(table("a,b\nP12345,p1\n"), ">sp|P12345|X_HUMAN\nMK\n>p1\nMK\n");
  EXPECT_THAT(data.records[0].message, HasSubstr("did you mean 'sp|P12345|X_HUMAN'?"));
}

TEST_F(ComplexesTest, ANameThatSeveralHaveRejectsThePair) {
  const Dataset data = make(table("a,b\np1,x\nx,x\np1,p1\n"), ">p1\nMK\n>x\nMV\n>x\nML\n");
  for (const std::size_t i : {0U, 1U}) {
    EXPECT_EQ(data.records[i].error_code, RecordCode::ambiguous_part);
    EXPECT_THAT(data.records[i].message, HasSubstr("2 records are called 'x'"));
  }
  EXPECT_EQ(written(data, 2), "MK:MK");
  EXPECT_THAT(data.warnings, IsEmpty());
  testing::expect_error(ErrorCode::missing_input, {"2 records are called 'x', so that complexes of one name"},
                        [&] { return make({}, ">p1\nMK\n>x\nMV\n>x\nML\n"); });
}

TEST_F(ComplexesTest, ARejectedPartRejectsThePair) {
  constexpr const char* bad = ">p1\nMK\n>gap\nM-K\n>none\n\n";
  const Dataset data = make({.self = true}, bad);
  EXPECT_THAT(ids(data), ElementsAre("p1_p1", "p1_gap", "p1_none", "gap_gap", "gap_none", "none_none"));
  EXPECT_EQ(data.records[1].error_code, RecordCode::bad_residue);
  EXPECT_EQ(data.records[1].message, "'gap': '-' at position 2 is not a residue");
  EXPECT_EQ(data.records[3].message, data.records[1].message);
  EXPECT_EQ(data.records[4].error_code, RecordCode::bad_residue);
  EXPECT_EQ(data.records[4].message, data.records[1].message + "; 'none': the record holds no residues");
  EXPECT_EQ(data.records[5].error_code, RecordCode::empty_sequence);
  EXPECT_EQ(data.sequences.size(), 1);
}

TEST_F(ComplexesTest, NotesOfThePartsAreNotesOfThePair) {
  const Dataset data = make({}, ">p1\nMJK\n>p2\nM K\n");
  EXPECT_EQ(data.records[0].status, RecordStatus::ok);
  EXPECT_EQ(data.records[0].error_code, RecordCode::residues_converted);
  EXPECT_EQ(data.records[0].message,
            "'p1': letters outside the model's alphabet became X: 1 J; 'p2': 1 blank left out");
}

TEST_F(ComplexesTest, TheLimitOfResiduesIsThatOfTheComplex) {
  const Dataset data = make({}, three, {.max_length = 6});
  EXPECT_EQ(data.records[0].error_code, RecordCode::too_long);
  EXPECT_EQ(data.records[0].message, "the complex has 7 residues where at most 6 are allowed (policy.max_length)");
  EXPECT_EQ(data.records[1].status, RecordStatus::ok);
}

TEST_F(ComplexesTest, RowsThatAreNoPair) {
  const Dataset data = make(table("a,b\np1\np1,\np1,p2,p3\nnull,p2\np1,p2\n"));
  EXPECT_THAT(ids(data), ElementsAre("unnamed_1", "unnamed_2", "unnamed_3", "unnamed_4", "p1_p2"));
  EXPECT_EQ(data.records[0].error_code, RecordCode::bad_row);
  EXPECT_EQ(data.records[0].message, "line 2: 1 values where the header row names 2 columns");
  EXPECT_EQ(data.records[1].error_code, RecordCode::missing_value);
  EXPECT_EQ(data.records[1].message, "line 3: the row has no value for 'b'");
  EXPECT_EQ(data.records[2].error_code, RecordCode::bad_row);
  EXPECT_EQ(data.records[3].error_code, RecordCode::missing_value);
  EXPECT_THAT((*data.parts)[1], ElementsAre("p1", ""));
}

TEST_F(ComplexesTest, TwoComplexesOfOneNameEndTheWork) {
  testing::expect_error(ErrorCode::missing_input,
                        {"pairs.tsv': two complexes are called 'p1_p2': line 2, 'p1' and 'p2'; line 4, 'p1' and 'p2'"},
                        [&] { return make(table("a,b\np1,p2\np2,p3\np1,p2\n")); });
  testing::expect_error(ErrorCode::missing_input, {"two complexes are called 'x': line 2"},
                        [&] { return make(table("id,a,b\nx,p1,p2\nx,p2,p3\n")); });
  constexpr const char* joined = ">a\nMK\n>a_b\nMV\n>b_c\nML\n>c\nMI\n";
  testing::expect_error(ErrorCode::missing_input, {"two complexes are called 'a_b_c': 'a' and 'b_c'; 'a_b' and 'c'"},
                        [&] { return make({}, joined); });
  EXPECT_EQ(make({.separator = "__"}, joined).records.size(), 6U);
}

TEST_F(ComplexesTest, BothOrdersAreTwoComplexesWithAWarning) {
  const Dataset data = make(table("a,b\np1,p2\np2,p1\np3,p2\np2,p3\np3,p3\n"));
  EXPECT_EQ(data.sequences.size(), 5);
  EXPECT_EQ(written(data, 0), "MKV:AC:DE");
  EXPECT_EQ(written(data, 1), "AC:DE:MKV");
  EXPECT_THAT(data.warnings, ElementsAre("2 pairs are given in both orders, such as 'p1_p2' and 'p2_p1'; each order "
                                         "is a complex of its own"));
}

TEST_F(ComplexesTest, EqualComplexesShareARow) {
  constexpr const char* fasta = ">a\nMK\n>b\nMK\n>c\nMK:MK\n>d\nGG\n";
  // MK:MK of a and b; MK:MK:MK of a and c as of b and c; MK:GG twice.
  const Dataset data = make({}, fasta);
  EXPECT_EQ(data.records.size(), 6U);
  EXPECT_EQ(data.sequences.size(), 4);
  EXPECT_EQ(make({}, fasta, {.share_duplicates = false}).sequences.size(), 6);
  // Cut in another place: MK:MK and MK, and MK and MK:MK.
  const Dataset cut = make(table("a,b\na,c\nc,a\n"), fasta);
  EXPECT_EQ(cut.records[0].sequence, cut.records[1].sequence);
}

TEST_F(ComplexesTest, TablesThatCannotBeUsed) {
  const auto refused = [&](std::string_view text, std::initializer_list<std::string_view> words) {
    testing::expect_error(ErrorCode::missing_input, words, [&] { return make(table(text)); });
  };
  refused("a,c\np1,p2\n", {"pairs.tsv', line 1: no column is called 'b'; the columns, divided by ',', are 'a', 'c'"});
  refused(">p1\nMK\n", {"no column is called 'a'"});
  refused("a,b,a\np1,p2,p3\n", {"two columns are named 'a'"});
  refused("PK\x03\x04more", {"is no file of pairs: it looks like a zip archive, or a workbook of a spreadsheet"});
  testing::expect_error(ErrorCode::missing_input, {"nowhere.tsv", "No such file"},
                        [&] { return make({.file = folder() / "nowhere.tsv"}); });
  std::string damaged = testing::gzip("a,b\np1,p2\n");
  damaged[damaged.size() - 6] ^= 1;  // its checksum
  refused(damaged, {"not valid gzip"});
}

TEST_F(ComplexesTest, ATableWithoutRowsGivesAWarning) {
  for (const char* const text : {"", "a,b\n", "# nothing\n\n"}) {
    const Dataset data = make(table(text));
    EXPECT_THAT(data.records, IsEmpty());
    EXPECT_EQ(data.inputs[1].problem, input_problem::empty);
    EXPECT_THAT(data.warnings, ElementsAre(AllOf(HasSubstr("pairs.tsv"), HasSubstr("holds no pair"))));
  }
}

TEST_F(ComplexesTest, ATableThatBreaksOffKeepsTheRowsBefore) {
  const Dataset data = make(table("a,b\np1,p2\n\"p1,p3\n"));
  EXPECT_THAT(ids(data), ElementsAre("p1_p2", "unnamed_2"));
  EXPECT_EQ(data.records[1].error_code, RecordCode::cut_off);
  EXPECT_TRUE(data.inputs[1].is_bad());
  EXPECT_THAT(data.inputs[1].message, HasSubstr("line 3: a quote is never closed"));
}

TEST_F(ComplexesTest, TheHashIsOfPartsAndPairs) {
  const std::string first = make(table("a,b\np1,p2\n")).sha256;
  EXPECT_EQ(make(table("b;a\np2;p1\n")).sha256, first);
  EXPECT_NE(make(table("a,b\np2,p1\n")).sha256, first);
  EXPECT_NE(make(table("a,b\np1,p2\n"), ">p1 first\nMKV\n>p2\nAC:DF\n>p3\nGGG\n").sha256, first);
  EXPECT_NE(make({}).sha256, first);
}

TEST_F(ComplexesTest, ASurveyCountsWhatADatasetHolds) {
  const Complexes complexes({write("in.fasta", ">a\nMK\n>b\nMK\n>c\nMJ:MK\n>d\nG-\n")}, {}, {});
  const Dataset data = complexes.dataset();
  const InputSurvey survey = complexes.survey();
  EXPECT_EQ(survey.records, std::ssize(data.records));
  ASSERT_EQ(std::ssize(survey.sequences), data.sequences.size());
  for (std::int64_t row = 0; row < data.sequences.size(); ++row) {
    const auto& [length, chains] = survey.sequences[static_cast<std::size_t>(row)];
    EXPECT_EQ(length, data.sequences.length(row));
    EXPECT_EQ(chains, data.sequences.chains(row));
  }
  EXPECT_THAT(survey.rejected, ElementsAre(std::pair("bad_residue", 3)));
  EXPECT_THAT(survey.noted, ElementsAre(std::pair("residues_converted", 2)));
}

TEST_F(ComplexesTest, EveryComplexIsInExactlyOneShard) {
  const Complexes complexes({write("in.fasta", ">a\nMK\n>b\nMK\n>c\nMV\n>d\nG-\n>e\nLL\n")}, {}, {});
  const Dataset all = complexes.dataset();
  std::vector<std::int64_t> shards;
  for (std::int64_t row = 0; row < all.sequences.size(); ++row) shards.push_back(row % 3 + 1);
  std::set<std::int64_t> records;
  std::set<std::int64_t> sequences;
  for (std::int64_t index = 1; index <= 3; ++index) {
    const Dataset part = complexes.shard(shards, index, 3);
    EXPECT_EQ(part.sha256, all.sha256);
    EXPECT_EQ(part.shard->records, std::ssize(all.records));
    EXPECT_EQ(part.shard->sequences, all.sequences.size());
    for (std::int64_t row = 0; row < part.sequences.size(); ++row) {
      const std::int64_t place = part.shard->sequence_places[static_cast<std::size_t>(row)];
      EXPECT_TRUE(sequences.insert(place).second);
      EXPECT_EQ(part.sequences.residues(row), all.sequences.residues(place));
    }
    for (std::size_t i = 0; i < part.records.size(); ++i) {
      const auto place = static_cast<std::size_t>(part.shard->record_places[i]);
      EXPECT_TRUE(records.insert(part.shard->record_places[i]).second);
      EXPECT_EQ(part.records[i].id, all.records[place].id);
      EXPECT_EQ((*part.parts)[i], (*all.parts)[place]);
      EXPECT_EQ(written(part, static_cast<std::int64_t>(i)), written(all, static_cast<std::int64_t>(place)));
    }
  }
  EXPECT_EQ(records.size(), all.records.size());
  EXPECT_EQ(std::ssize(sequences), all.sequences.size());
}

}  // namespace
}  // namespace pleat
