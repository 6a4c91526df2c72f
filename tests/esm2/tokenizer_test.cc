#include "pleat/esm2/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden.h"
#include "pleat/core/error.h"

namespace pleat {
namespace {

using testing::ElementsAre;

Esm2Config published_vocabulary() { return load_esm2_config(load_golden("head16").folder); }

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
  EXPECT_EQ(Tokenizer::token_count(3, 2), 3 + 2 + 25);
  EXPECT_THAT(batch.residue_tokens[0], ElementsAre(1, 27, 28));
  EXPECT_EQ(batch.tokens[1], 20);
  EXPECT_EQ(batch.tokens[2], 6) << "glycine";
  EXPECT_EQ(batch.tokens[26], 6);
  EXPECT_EQ(batch.tokens[27], 4);
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
