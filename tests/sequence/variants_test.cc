#include "sequence/variants.h"

#include <gmock/gmock.h>

#include <csignal>
#include <numeric>

#include "core/error.h"
#include "sequence/shard.h"
#include "temporary_files.h"

namespace pleat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What a row became: its code, or "" where it is scored.
std::vector<std::string> codes(const VariantTable& table) {
  std::vector<std::string> found;
  for (const VariantRow& row : table.rows) found.push_back(row.error_code);
  return found;
}

std::vector<std::string> texts_of(const SequenceTable& sequences, std::int64_t row) {
  std::vector<std::string> texts;
  for (const SequenceVariant& variant : sequences.variants(row)) texts.push_back(variant.text);
  return texts;
}

TEST(ParseVariant, OneOrSeveral) {
  const ParsedVariant one = parse_variant("A2V", "MACX");
  ASSERT_EQ(one.substitutions.size(), 1);
  EXPECT_EQ(one.substitutions[0].residue, 1);
  EXPECT_EQ(one.substitutions[0].letter, 'V');
  const ParsedVariant lower = parse_variant("a2v", "MACX");
  EXPECT_FALSE(lower.refused_as);
  EXPECT_EQ(lower.substitutions.at(0).letter, 'V');

  const ParsedVariant several = parse_variant("X4W:M1L", "MACX");
  ASSERT_EQ(several.substitutions.size(), 2);
  EXPECT_EQ(several.substitutions[0].residue, 3);
  EXPECT_EQ(several.substitutions[1].letter, 'L');
}

TEST(ParseVariant, RefusesWhatDoesNotFit) {
  struct Case {
    const char* text;
    RecordCode code;
    const char* why;
  };
  for (const Case& tested :
       {Case{"", RecordCode::bad_variant, "such as A12V"}, Case{"A2", RecordCode::bad_variant, "such as A12V"},
        Case{"2V", RecordCode::bad_variant, "such as A12V"}, Case{"A2.0V", RecordCode::bad_variant, "such as A12V"},
        Case{"A99999999999999999999V", RecordCode::out_of_range, "residues 1 to 4"},
        Case{"A2*", RecordCode::bad_variant, "such as A12V"}, Case{"A2V:", RecordCode::bad_variant, "such as A12V"},
        Case{"A2X", RecordCode::bad_variant, "none of the 20 amino acids"},
        Case{"A2x", RecordCode::bad_variant, "'x' is none of the 20 amino acids"},
        Case{"A2V:A2L", RecordCode::bad_variant, "twice"}, Case{"A0V", RecordCode::out_of_range, "residues 1 to 4"},
        Case{"A5V", RecordCode::out_of_range, "residues 1 to 4"},
        Case{"C2V", RecordCode::wrong_wild_type, "residue 2 is A"},
        Case{"A2V:C2V", RecordCode::wrong_wild_type, "'C2V'"}}) {
    SCOPED_TRACE(tested.text);
    const ParsedVariant parsed = parse_variant(tested.text, "MACX");
    ASSERT_TRUE(parsed.refused_as.has_value());
    EXPECT_EQ(*parsed.refused_as, tested.code);
    EXPECT_THAT(parsed.why, HasSubstr(tested.why));
    EXPECT_THAT(parsed.substitutions, IsEmpty());
  }
}

class Variants : public testing::TemporaryFiles {
 protected:
  // The table, given to the records.
  Dataset assigned(const std::string& fasta, const std::string& table) {
    Dataset dataset = read("a.fasta", fasta);
    assign_variants(read_variants(write("v.csv", table)), dataset);
    return dataset;
  }
};

TEST_F(Variants, BelongToTheSequenceOfTheirId) {
  const Dataset dataset =
      assigned(">a\nMKV\n>b\nMRV\n>c\nMKV\n", "id;variants\nc;K2R\na;V3L\nb;K2R\nnobody;M1A\nb;R2K:M1L\n");
  EXPECT_THAT(codes(*dataset.variants), ElementsAre("", "", "wrong_wild_type", "unknown_id", ""));
  EXPECT_EQ(dataset.variants->refused(), 2);
  EXPECT_THAT(texts_of(dataset.sequences, 0), ElementsAre("K2R", "V3L"));
  EXPECT_THAT(texts_of(dataset.sequences, 1), ElementsAre("R2K:M1L"));
  EXPECT_EQ(dataset.sequences.variants(1)[0].table_row, 4);
}

TEST_F(Variants, AnIdMustLeadToOneSequence) {
  const Dataset dataset =
      assigned(">a\nMK\n>a\nMR\n>b\nM-\n>c\nMK\n>c\nM-\n>d\nM-\n>d\nMR\n", "id,variants\na,M1L\nb,M1L\nc,M1L\nd,M1L\n");
  EXPECT_THAT(codes(*dataset.variants), ElementsAre("ambiguous_id", "refused_record", "", ""));
}

TEST_F(Variants, EqualSequencesOfOneIdAreOneThoughKeptApart) {
  ReadOptions options;
  options.share_duplicates = false;
  Dataset dataset = read("a.fasta", ">a\nMK\n>a\nMK\n>b\nM:K\n>b\nMK\n", options);
  assign_variants(read_variants(write("v.csv", "id,variants\na,M1L\nb,M1L\n")), dataset);
  EXPECT_THAT(codes(*dataset.variants), ElementsAre("", "ambiguous_id"));
  EXPECT_THAT(texts_of(dataset.sequences, 0), ElementsAre("M1L"));
}

TEST_F(Variants, AreNumberedThroughAllChains) {
  const Dataset dataset = assigned(">a\nMK:AC\n", "id,variants\na,A3G\na,A1G\n");
  EXPECT_THAT(codes(*dataset.variants), ElementsAre("", "wrong_wild_type"));
}

TEST_F(Variants, GoWithTheirSequences) {
  const Dataset all = assigned(">a\nMK\n>b\nMR\n>c\nMV\n>d\nMW\n", "id,variants\nd,W2A\nb,R2A\nb,M1A\n");
  const Dataset part = take_shard(all, {1, 2, 1, 2}, 2, 2);
  EXPECT_EQ(part.variants->rows.size(), 3);
  EXPECT_THAT(texts_of(part.sequences, 0), ElementsAre("R2A", "M1A"));
  EXPECT_THAT(texts_of(part.sequences, 1), ElementsAre("W2A"));
  SequenceTable shrunk = part.sequences;
  shrunk.shrink(1);
  EXPECT_THAT(texts_of(shrunk, 0), ElementsAre("R2A", "M1A"));
  EXPECT_THAT(texts_of(take_shard(all, {1, 2, 1, 2}, 1, 2).sequences, 0), IsEmpty());
}

TEST_F(Variants, AreInTheHashOfTheInputs) {
  const std::string fasta = ">a\nMK\n";
  const std::string one = assigned(fasta, "id,variants\na,M1A\n").sha256;
  EXPECT_NE(one, read("a.fasta", fasta).sha256);
  EXPECT_NE(one, assigned(fasta, "id,variants\na,M1C\n").sha256);
  EXPECT_EQ(one, assigned(fasta, "# a comment\nid\tvariants\na\tM1A\n").sha256);
}

TEST_F(Variants, RowsThatCannotBeReadAreRefused) {
  const Dataset dataset = assigned(">a\nMK\n", "id,variants\na,\na,M1A,x\n,M1A\na,M1A\n");
  EXPECT_THAT(codes(*dataset.variants), ElementsAre("missing_value", "bad_row", "missing_value", ""));
}

TEST_F(Variants, IdsAreReadAsThoseOfRecords) {
  const Dataset dataset = assigned(">\xE9\nMK\n", "id,variants\n\xE9,M1A\n");
  EXPECT_THAT(codes(*dataset.variants), ElementsAre(""));
}

TEST_F(Variants, TheTableIsOneOfTheInputs) {
  const Dataset dataset = assigned(">a\nMK\n", "id,variants\na,M1A\nb,M1A\n");
  ASSERT_EQ(dataset.inputs.size(), 2U);
  const InputReport& table = dataset.inputs[1];
  EXPECT_EQ(table.format, "variants");
  EXPECT_EQ(table.records, 2);
  EXPECT_EQ(table.bytes, 24);
  EXPECT_EQ(table.problem, "");
  EXPECT_EQ(assigned(">a\nMK\n", "id,variants\n").inputs[1].problem, input_problem::empty);
}

TEST_F(Variants, ASignalEndsTheReading) {
  StopToken stop;
  stop.request_signal(SIGTERM);
  EXPECT_THROW(static_cast<void>(read_variants(write("v.csv", "id,variants\na,M1A\n"), &stop)), Stopped);
}

TEST_F(Variants, ATableWithoutItsColumnsIsRefusedAsAWhole) {
  try {
    static_cast<void>(read_variants(write("v.csv", "id,mutant\na,M1A\n")));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::missing_input);
    EXPECT_THAT(error.what(), HasSubstr("variants"));
    EXPECT_THAT(error.hint(), HasSubstr("columns id and variants"));
  }
}

}  // namespace
}  // namespace pleat
