// `pairs`: what goes together.
#include "manifest_fixture.h"

namespace pleat {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string with_pairs(const std::string& pairs) { return minimal + "pairs: " + pairs + "\n"; }

TEST_F(ManifestTest, PairsAreOffUnlessAskedFor) {
  EXPECT_FALSE(load(minimal).pairs.enabled);
  EXPECT_FALSE(load(with_pairs("false")).pairs.enabled);
  const PairsTask all = load(with_pairs("true")).pairs;
  EXPECT_TRUE(all.enabled);
  EXPECT_EQ(all.mode, PairMode::all_vs_all);
}

TEST_F(ManifestTest, PairsByATable) {
  const PairsTask pairs = load(with_pairs("{file: pairs.tsv, columns: [bait, prey], separator: __}")).pairs;
  EXPECT_TRUE(pairs.enabled);
  EXPECT_EQ(pairs.file, "pairs.tsv");
  EXPECT_THAT(pairs.columns, ElementsAre("bait", "prey"));
  EXPECT_EQ(pairs.separator, "__");
  for (const std::string mark : {",", ":", "|", "&", "*", "@", "-", "#", "!", "%", "~", "{", "["}) {
    EXPECT_EQ(load(minimal, {"pairs.separator=" + mark}).pairs.separator, mark);
  }
  const PairsTask by_option = load(minimal, {"pairs.file=p.tsv"}).pairs;
  EXPECT_TRUE(by_option.enabled);
  EXPECT_EQ(by_option.file, std::filesystem::absolute("p.tsv").string());
}

TEST_F(ManifestTest, PairsOfBaits) {
  const PairsTask pairs = load(with_pairs("{mode: bait_vs_all, baits: [P1, \"@more.txt\"], self: true}")).pairs;
  EXPECT_EQ(pairs.mode, PairMode::bait_vs_all);
  EXPECT_THAT(pairs.baits, ElementsAre("P1", "@more.txt"));
  EXPECT_TRUE(pairs.self);
  EXPECT_THAT(load(minimal, {"pairs.mode=bait_vs_all", "pairs.baits=@b.txt"}).pairs.baits,
              ElementsAre("@" + std::filesystem::absolute("b.txt").string()));
  EXPECT_THAT(load(minimal, {"pairs.mode=bait_vs_all", "pairs.baits=P1"}).pairs.baits, ElementsAre("P1"));
}

TEST_F(ManifestTest, PairsThatDoNotGoTogether) {
  EXPECT_THAT(error_of(with_pairs("{file: p.tsv, mode: all_vs_all}")),
              AllOf(StartsWith("m.yaml:5:28: 'pairs.mode' is given beside 'pairs.file'")));
  EXPECT_THAT(error_of(with_pairs("{file: p.tsv, self: true}")), HasSubstr("'pairs.self' is given beside"));
  EXPECT_THAT(error_of(with_pairs("{mode: bait_vs_all}")), HasSubstr("is bait_vs_all, and no baits are named"));
  EXPECT_THAT(error_of(with_pairs("{baits: [P1]}")),
              AllOf(HasSubstr("'pairs.baits' is given, and pairs.mode is all_vs_all"), HasSubstr("bait_vs_all")));
  EXPECT_THAT(error_of(with_pairs("{file: p.tsv, columns: [x]}")),
              HasSubstr("'pairs.columns' must be a list of two names"));
  EXPECT_THAT(error_of(with_pairs("{file: p.tsv, columns: [x, x]}")),
              HasSubstr("'pairs.columns' names the same column twice"));
  EXPECT_THAT(
      error_of(with_pairs("true"), {"tasks.scoring.variants=v.csv"}),
      AllOf(HasSubstr("'tasks.scoring.variants' is a table of variants of records"), HasSubstr("run of their own")));
  EXPECT_THAT(error_of(with_pairs("{mode: all}")), HasSubstr("must be one of all_vs_all, bait_vs_all"));
  EXPECT_THAT(error_of(with_pairs("{table: p.tsv}")), HasSubstr("unknown key 'pairs.table'"));
  EXPECT_THAT(error_of(with_pairs("{separator: ''}")), HasSubstr("'pairs.separator' is empty"));
}

}  // namespace
}  // namespace pleat
