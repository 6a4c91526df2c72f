#include "esm2/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "golden.h"

namespace pleat {
namespace {

using testing::ElementsAre;

Esm2Config published_vocabulary() { return load_model_config(load_golden("head16").folder).language_model; }

TEST(Tokenizer, UsesTheIdsOfThePublishedVocabulary) {
  const Tokenizer tokenizer(published_vocabulary());
  const PackedBatch batch = tokenizer.pack(table_of({"LAX", "M"}), {1, 0});
  EXPECT_THAT(batch.cu_seqlens, ElementsAre(0, 3, 8));
  EXPECT_THAT(batch.rows, ElementsAre(1, 0));
  EXPECT_THAT(batch.tokens, ElementsAre(0, 20, 2, 0, 4, 5, 24, 2));
  EXPECT_THAT(batch.residue_tokens[1], ElementsAre(1, 2, 3));
  EXPECT_EQ(tokenizer.alphabet(), "ACDEFGHIKLMNPQRSTVWYXBUZO");
}

TEST(Tokenizer, PadsTheTailToWholeGroupsOfRows) {
  const Tokenizer tokenizer(published_vocabulary());
  const PackedBatch batch = tokenizer.pack(table_of({"M"}), {0});
  EXPECT_EQ(batch.token_count(), 3);
  EXPECT_THAT(batch.tokens, ElementsAre(0, 20, 2, 1, 1, 1, 1, 1));
}

TEST(Tokenizer, JoinsChainsByALinkerThatBelongsToNoResidue) {
  SequenceTable table;
  table.append("MLA", std::vector<std::uint16_t>{0, 1, 1});
  const Tokenizer tokenizer(published_vocabulary());
  const PackedBatch batch = tokenizer.pack(table, {0});
  EXPECT_EQ(batch.token_count(), 3 + 2 + 25);
  EXPECT_EQ(tokenizer.token_count(3, 2), 3 + 2 + 25);
  EXPECT_THAT(batch.residue_tokens[0], ElementsAre(1, 27, 28));
  EXPECT_EQ(batch.tokens[1], 20);
  EXPECT_EQ(batch.tokens[2], 6) << "glycine";
  EXPECT_EQ(batch.tokens[26], 6);
  EXPECT_EQ(batch.tokens[27], 4);
}

class Linker : public testing::TestWithParam<std::int64_t> {};

TEST_P(Linker, HasTheLengthThatIsAskedFor) {
  const std::int64_t length = GetParam();
  SequenceTable table;
  table.append("MLA", std::vector<std::uint16_t>{0, 1, 2});
  const Tokenizer tokenizer(published_vocabulary(), Tokenizer::esmfold_letters, length);
  const PackedBatch batch = tokenizer.pack(table, {0});
  EXPECT_EQ(tokenizer.linker_length(), length);
  EXPECT_EQ(batch.token_count(), 3 + 2 + 2 * length);
  EXPECT_EQ(tokenizer.token_count(3, 3), batch.token_count());
  EXPECT_THAT(batch.residue_tokens[0], ElementsAre(1, 2 + length, 3 + 2 * length));
  for (std::int64_t i = 0; i < length; ++i) {
    EXPECT_EQ(batch.tokens[2 + i], 6);
    EXPECT_EQ(batch.tokens[3 + length + i], 6);
  }
}

INSTANTIATE_TEST_SUITE_P(Lengths, Linker, testing::Values(0, 1, 25, 1000));

TEST(Tokenizer, OfAFoldingModelKnowsTheAminoAcidsAndX) {
  const Tokenizer tokenizer(published_vocabulary(), Tokenizer::esmfold_letters);
  EXPECT_EQ(tokenizer.alphabet(), "ACDEFGHIKLMNPQRSTVWYX");
  EXPECT_EQ(tokenizer.linker_length(), 25);
  EXPECT_THAT(tokenizer.pack(table_of({"LAX"}), {0}).tokens, ElementsAre(0, 4, 5, 24, 2, 1, 1, 1));
  EXPECT_THROW(static_cast<void>(tokenizer.pack(table_of({"LAB"}), {0})), Error);
}

TEST(Tokenizer, RefusesAVocabularyWithoutAnAminoAcid) {
  Esm2Config config = published_vocabulary();
  for (std::string& token : config.vocab) {
    if (token == "W") token = "w";
  }
  EXPECT_THROW(Tokenizer{config}, Error);
}

}  // namespace
}  // namespace pleat
