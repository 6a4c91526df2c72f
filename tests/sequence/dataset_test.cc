#include "sequence/dataset.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace pleat {
namespace {

TEST(SequenceTable, HoldsSequencesEndToEnd) {
  SequenceTable table;
  EXPECT_EQ(table.size(), 0);
  const std::vector<std::uint16_t> one_chain{0, 0, 0};
  const std::vector<std::uint16_t> two_chains{0, 1};
  EXPECT_EQ(table.append("MKV", one_chain), 0);
  EXPECT_EQ(table.append("AC", two_chains), 1);
  EXPECT_EQ(table.size(), 2);
  EXPECT_EQ(table.residues(0), "MKV");
  EXPECT_EQ(table.residues(1), "AC");
  EXPECT_EQ(table.length(1), 2);
  EXPECT_EQ(table.chains(0), 1);
  EXPECT_EQ(table.chains(1), 2);
  EXPECT_EQ(table.all_residues(), "MKVAC");
  EXPECT_EQ(table.offsets(), (std::vector<std::int64_t>{0, 3, 5}));
  EXPECT_EQ(table.all_chains(), (std::vector<std::uint16_t>{0, 0, 0, 0, 1}));
}

TEST(SequenceTable, RefusesAChainOfAnotherLength) {
  SequenceTable table;
  const std::vector<std::uint16_t> short_chain{0};
  EXPECT_THROW(table.append("MKV", short_chain), Error);
  EXPECT_EQ(table.size(), 0);
}

TEST(RecordStatus, HasTheNamesOfTheFileFormat) {
  EXPECT_EQ(name_of(RecordStatus::ok), "ok");
  EXPECT_EQ(name_of(RecordStatus::rejected), "rejected");
  EXPECT_EQ(name_of(RecordStatus::failed), "failed");
  EXPECT_EQ(name_of(RecordStatus::skipped), "skipped");
}

}  // namespace
}  // namespace pleat
