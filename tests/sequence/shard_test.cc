#include "sequence/shard.h"

#include <gmock/gmock.h>

#include <map>

#include "temporary_files.h"

namespace pleat {
namespace {

using ::testing::ElementsAre;
using Shards = testing::TemporaryFiles;

TEST_F(Shards, EveryRecordIsInExactlyOne) {
  const Dataset all = read("a.fasta", ">a\nMK\n>b\nM-\n>c\nMV\n>d\nMK\n>e\nMKV\n>f\nM1\n>g\nA:C\n");
  ASSERT_EQ(all.sequences.size(), 4);
  std::map<std::int64_t, std::string> ids;
  std::map<std::int64_t, std::string> residues;
  for (std::int64_t index = 1; index <= 3; ++index) {
    const Dataset part = take_shard(all, {1, 2, 1, 2}, index, 3);
    EXPECT_EQ(part.sha256, all.sha256);
    ASSERT_TRUE(part.shard.has_value());
    EXPECT_EQ(part.shard->index, index);
    EXPECT_EQ(part.shard->count, 3);
    EXPECT_EQ(part.shard->records, 7);
    EXPECT_EQ(part.shard->sequences, 4);
    for (std::size_t i = 0; i < part.records.size(); ++i) {
      const std::int64_t place = part.shard->record_places[i];
      EXPECT_TRUE(ids.emplace(place, part.records[i].id).second);
      const std::int64_t before = all.records[static_cast<std::size_t>(place)].sequence;
      const std::int64_t row = part.records[i].sequence;
      ASSERT_EQ(before < 0, row < 0);
      if (row >= 0) {
        EXPECT_EQ(part.sequences.residues(row), all.sequences.residues(before));
      }
    }
    for (std::int64_t row = 0; row < part.sequences.size(); ++row) {
      const std::int64_t place = part.shard->sequence_places[static_cast<std::size_t>(row)];
      EXPECT_TRUE(residues.emplace(place, part.sequences.residues(row)).second);
      EXPECT_EQ(part.sequences.chains(row), all.sequences.chains(place));
    }
  }
  ASSERT_EQ(ids.size(), 7U);
  EXPECT_EQ(ids[3], "d");
  EXPECT_EQ(residues.size(), 4U);
}

TEST_F(Shards, OneMayBeEmpty) {
  const Dataset all = read("a.fasta", ">a\nMK\n");
  const Dataset part = take_shard(all, {1}, 2, 2);
  EXPECT_TRUE(part.records.empty());
  EXPECT_EQ(part.sequences.size(), 0);
}

}  // namespace
}  // namespace pleat
