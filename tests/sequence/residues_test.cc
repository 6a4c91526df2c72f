// The residue policy: what is converted, what is rejected, and what the record says about it.
#include <span>

#include "temporary_files.h"

namespace pleat {
namespace {

class Residues : public testing::TemporaryFiles {
 protected:
  // One record with this sequence.
  [[nodiscard]] Dataset one(const std::string& sequence, const ReadOptions& options = {}) const {
    Dataset data = read("a.fasta", ">a\n" + sequence + "\n", options);
    EXPECT_EQ(data.records.size(), 1U);
    return data;
  }

  void expect_accepted(const std::string& sequence, const std::string& residues,
                       const ReadOptions& options = {}) const {
    const Dataset data = one(sequence, options);
    EXPECT_EQ(data.records[0].status, RecordStatus::ok) << sequence;
    EXPECT_EQ(data.records[0].sequence, 0) << sequence;
    EXPECT_EQ(data.sequences.all_residues(), residues) << sequence;
    EXPECT_EQ(data.records[0].message, "") << sequence;
    EXPECT_EQ(data.records[0].error_code, "") << sequence;
  }

  void expect_rejected(const std::string& sequence, RecordCode code, const std::string& message,
                       const ReadOptions& options = {}) const {
    const Dataset data = one(sequence, options);
    EXPECT_EQ(data.records[0].status, RecordStatus::rejected) << sequence;
    EXPECT_EQ(data.records[0].sequence, -1) << sequence;
    EXPECT_EQ(data.records[0].error_code, code) << sequence;
    EXPECT_EQ(data.records[0].message, message) << sequence;
    EXPECT_EQ(data.records[0].id, "a");
    EXPECT_EQ(data.sequences.size(), 0) << sequence;
  }
};

const ReadOptions strict{.strict = true};
const ReadOptions esmfold{.alphabet = "ACDEFGHIKLMNPQRSTVWYX"};

TEST_F(Residues, EveryLetterOfTheAlphabetIsAccepted) {
  expect_accepted("ACDEFGHIKLMNPQRSTVWYXBUZO", "ACDEFGHIKLMNPQRSTVWYXBUZO");
  expect_accepted("ACDEFGHIKLMNPQRSTVWYXBUZO", "ACDEFGHIKLMNPQRSTVWYXBUZO", strict);
}

TEST_F(Residues, LowerCaseAndAFinalStarAreConvertedWithoutANote) {
  expect_accepted("mkvX", "MKVX");
  expect_accepted("MKV*", "MKV");
  expect_accepted("MKV\n*", "MKV");
  expect_accepted("mk*:av*", "MKAV");
}

TEST_F(Residues, LettersOutsideTheAlphabetBecomeXWithACount) {
  const Dataset data = one("MJKjA");
  EXPECT_EQ(data.records[0].status, RecordStatus::ok);
  EXPECT_EQ(data.records[0].error_code, RecordCode::residues_converted);
  EXPECT_EQ(data.records[0].message, "letters outside the model's alphabet became X: 2 J");
  EXPECT_EQ(data.sequences.residues(0), "MXKXA");

  const Dataset folding = one("MUUBKXZ", esmfold);
  EXPECT_EQ(folding.records[0].message, "letters outside the model's alphabet became X: 1 B, 2 U, 1 Z");
  EXPECT_EQ(folding.sequences.residues(0), "MXXXKXX");
}

TEST_F(Residues, StrictRejectsWhatConvertWouldChange) {
  expect_rejected("MKJA", RecordCode::bad_residue,
                  "'J' at position 3 is not in the model's alphabet (policy.residues: strict)", strict);
  expect_rejected("MKvA", RecordCode::bad_residue, "'v' at position 3 is lower case (policy.residues: strict)", strict);
  expect_rejected("MKV*", RecordCode::bad_residue, "'*' at position 4 is not a residue (policy.residues: strict)",
                  strict);
  expect_rejected("MK-V", RecordCode::bad_residue, "'-' at position 3 is not a residue", strict);
}

TEST_F(Residues, AnAlphabetWithoutXCannotConvert) {
  expect_rejected("MKJ", RecordCode::bad_residue, "'J' at position 3 is not in the model's alphabet",
                  {.alphabet = "ACDEFGHIKLMNPQRSTVWY"});
}

TEST_F(Residues, OtherCharactersRejectWithTheirPosition) {
  expect_rejected("MK-V", RecordCode::bad_residue, "'-' at position 3 is not a residue");
  expect_rejected(".MK", RecordCode::bad_residue, "'.' at position 1 is not a residue");
  expect_rejected("MKV1", RecordCode::bad_residue, "'1' at position 4 is not a residue");
  expect_rejected("MKV\nL?A", RecordCode::bad_residue, "'?' at position 5 is not a residue");
  expect_rejected("M*KV", RecordCode::bad_residue, "'*' at position 2 is not a residue");
  expect_rejected("MKV**", RecordCode::bad_residue, "'*' at position 4 is not a residue");
  expect_rejected("AC:D-E", RecordCode::bad_residue, "'-' at position 5 is not a residue");
  expect_rejected("MK\xE2\x80\x94V", RecordCode::bad_residue, "'\xE2\x80\x94' (U+2014) at position 3 is not a residue");
  expect_rejected("MK\xE2V", RecordCode::bad_residue, "byte 0xE2 at position 3 is not a residue");
  expect_rejected("MK\xC3\xA9", RecordCode::bad_residue, "'é' (U+00E9) at position 3 is not a residue");
}

TEST_F(Residues, WhiteSpaceInsideIsLeftOutWithANote) {
  for (const std::string blank :
       {" ", "\t", "\xC2\xA0", "\xE2\x80\x8B", "\xA0", "\xEF\xBB\xBF", "\v", "\xE3\x80\x80"}) {
    const Dataset data = one("MK" + blank + "VL");
    EXPECT_EQ(data.sequences.all_residues(), "MKVL");
    EXPECT_EQ(data.records[0].error_code, RecordCode::sequence_cleaned);
    EXPECT_EQ(data.records[0].message, "1 blank left out");
    EXPECT_EQ(one("MKVL" + blank + "*").sequences.all_residues(), "MKVL");
    const Dataset chains = one("MK" + blank + ":" + blank + blank + "VL*" + blank + ":A");
    EXPECT_EQ(chains.sequences.all_residues(), "MKVLA");
    EXPECT_EQ(chains.sequences.chains(0), 3);
    EXPECT_EQ(chains.records[0].message, "4 blanks left out");
    expect_rejected("A:" + blank + ":C", RecordCode::empty_chain, "chain 2 holds no residues");
  }
  expect_rejected("MK VL", RecordCode::bad_residue, "' ' at position 3 is not a residue", strict);
  EXPECT_EQ(one("MJ KV").records[0].message, "letters outside the model's alphabet became X: 1 J; 1 blank left out");
  expect_rejected("M K-V", RecordCode::bad_residue, "'-' at position 4 is not a residue");
}

TEST_F(Residues, NucleotidesAreNoticed) {
  const std::string dna = "ATGAAAACCGCATATATTGCG";
  const Dataset warned = one(dna);
  EXPECT_EQ(warned.sequences.all_residues(), dna);
  EXPECT_EQ(warned.records[0].error_code, RecordCode::nucleotides);
  EXPECT_EQ(warned.records[0].message, "it looks like DNA or RNA: 100 % of its letters are A, C, G, T, U or N");
  expect_accepted(dna, dna, {.nucleotides = NucleotidePolicy::ignore});
  expect_rejected(dna, RecordCode::nucleotides,
                  "it looks like DNA or RNA: 100 % of its letters are A, C, G, T, U or N (policy.nucleotides: reject)",
                  {.nucleotides = NucleotidePolicy::reject});
  EXPECT_EQ(one("CGCGCGTTTTCG").records[0].error_code, RecordCode::nucleotides);
  EXPECT_EQ(one("augaaaaccgcauauauugcg").records[0].error_code, RecordCode::nucleotides);
  // RNA, where the model does not know U.
  EXPECT_EQ(one("AUGAAAACCGCAUAUAUUGCG", esmfold).records[0].error_code, RecordCode::nucleotides);
  EXPECT_EQ(one(dna + dna + "R").records[0].message.substr(0, 31), "it looks like DNA or RNA: 97 % ");
  // Peptides of few kinds of residues are none.
  for (const std::string protein : {"GGGGGGGGGGGG", "GAGAGAGAGAGAGA", "ACGT", "NNNNNNNNNNNN", "MKTAYIAKQRAAAA"}) {
    expect_accepted(protein, protein);
  }
}

TEST_F(Residues, ARejectionWinsOverANote) {
  expect_rejected("MJ-", RecordCode::bad_residue, "'-' at position 3 is not a residue");
}

TEST_F(Residues, ChainsAreNumberedAndNotStored) {
  const Dataset data = one("MK:A\n:VLS");
  EXPECT_EQ(data.sequences.residues(0), "MKAVLS");
  const std::span<const std::uint16_t> chain = data.sequences.chain(0);
  EXPECT_EQ(std::vector<std::uint16_t>(chain.begin(), chain.end()), (std::vector<std::uint16_t>{0, 0, 1, 2, 2, 2}));
  EXPECT_EQ(data.sequences.chains(0), 3);
}

TEST_F(Residues, AnEmptyChainRejects) {
  expect_rejected("A::B", RecordCode::empty_chain, "chain 2 holds no residues");
  expect_rejected(":A", RecordCode::empty_chain, "chain 1 holds no residues");
  expect_rejected("A:", RecordCode::empty_chain, "chain 2 holds no residues");
  expect_rejected(":", RecordCode::empty_chain, "chain 1 holds no residues");
  expect_rejected("A:*", RecordCode::empty_chain, "chain 2 holds no residues");
  expect_rejected("*", RecordCode::empty_sequence, "the record holds no residues");
}

TEST_F(Residues, AtMost65535Chains) {
  std::string most = "A";
  for (int i = 1; i < 65535; ++i) most += ":A";
  const Dataset data = one(most);
  EXPECT_EQ(data.records[0].status, RecordStatus::ok);
  EXPECT_EQ(data.sequences.chains(0), 65535);
  expect_rejected(most + ":A", RecordCode::too_many_chains, "65536 chains where at most 65535 are possible");
}

TEST_F(Residues, LongerThanMaxLengthRejects) {
  const ReadOptions at_most_five{.max_length = 5};
  expect_accepted("MKVLA", "MKVLA", at_most_five);
  expect_accepted("MKV:LA*", "MKVLA", at_most_five);
  expect_rejected("MKVLAA", RecordCode::too_long,
                  "the sequence has 6 residues where at most 5 are allowed (policy.max_length)", at_most_five);
}

}  // namespace
}  // namespace pleat
