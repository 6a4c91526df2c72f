#include "plan/shards.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <numeric>

#include "core/error.h"
#include "plan/cost.h"
#include "plan/fold_cost.h"
#include "test_data.h"

namespace pleat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ParseShardTest, ReadsIOfN) {
  EXPECT_EQ(parse_shard("3/8").index, 3);
  EXPECT_EQ(parse_shard("3/8").count, 8);
  EXPECT_EQ(parse_shard("1/1").count, 1);
}

TEST(PartNameTest, StandsBesideTheOutput) {
  EXPECT_EQ(part_name("results.h5", {3, 8}), "results.shard-3-of-8.h5");
  EXPECT_EQ(part_name("results", {3, 8}), "results.shard-3-of-8");
  EXPECT_EQ(part_name("./results", {1, 2}), "./results.shard-1-of-2");
  EXPECT_EQ(part_name("v1.2/results", {2, 2}), "v1.2/results.shard-2-of-2");
  EXPECT_EQ(part_name("/a/bin.1.h5", {2, 2}), "/a/bin.1.shard-2-of-2.h5");
  // As pipelines name it that declare the part.
  EXPECT_EQ(part_name("results.shard-3-of-8.h5", {3, 8}), "results.shard-3-of-8.h5");
}

TEST(ParseShardTest, AnythingElseIsRefused) {
  for (const char* text :
       {"", "/", "0/8", "9/8", "-1/8", "3", "3/", "/8", "3/8/1", "3 /8", "3/0", "a/b", "1/9999999"}) {
    try {
      static_cast<void>(parse_shard(text));
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::usage);
      EXPECT_THAT(error.hint(), HasSubstr("3/8"));
    }
  }
}

class SlurmShardTest : public ::testing::Test {
 protected:
  // As SLURM sets them for the task `id` of an array.
  ShardSpec shard(int id, int first, int last, int step, int count) {
    variables = {{"SLURM_ARRAY_TASK_ID", std::to_string(id)},
                 {"SLURM_ARRAY_TASK_MIN", std::to_string(first)},
                 {"SLURM_ARRAY_TASK_MAX", std::to_string(last)},
                 {"SLURM_ARRAY_TASK_STEP", std::to_string(step)},
                 {"SLURM_ARRAY_TASK_COUNT", std::to_string(count)}};
    return read();
  }
  ShardSpec read() {
    return slurm_shard([this](const std::string& name) {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional(found->second);
    });
  }
  std::map<std::string, std::string> variables;
};

TEST_F(SlurmShardTest, CountsTheTasksOfAnEvenArray) {
  const ShardSpec spec = shard(5, 1, 7, 2, 4);  // 1-7:2
  EXPECT_EQ(spec.index, 3);
  EXPECT_EQ(spec.count, 4);
  EXPECT_EQ(shard(0, 0, 15, 1, 16).index, 1);
  EXPECT_EQ(shard(15, 0, 15, 1, 16).index, 16);
}

TEST_F(SlurmShardTest, RefusesGaps) {
  EXPECT_THROW(shard(4, 1, 9, 1, 3), Error);  // 1,4,9
  EXPECT_THROW(shard(4, 1, 7, 2, 4), Error);  // not an ID of the array
  EXPECT_THROW(shard(9, 1, 7, 2, 4), Error);
}

TEST_F(SlurmShardTest, RefusesMissingAndOddVariables) {
  shard(1, 1, 2, 1, 2);
  variables["SLURM_ARRAY_TASK_COUNT"] = "two";
  EXPECT_THROW(read(), Error);
  variables.erase("SLURM_ARRAY_TASK_COUNT");
  try {
    read();
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    EXPECT_THAT(error.what(), HasSubstr("SLURM_ARRAY_TASK_COUNT is not set"));
  }
}

TEST(ShardsOfTest, TheMostExpensiveFirstToWhoHasLeast) {
  EXPECT_THAT(shards_of({1, 5, 3, 3, 1}, 2), ElementsAre(1, 1, 2, 2, 1));
  EXPECT_THAT(shards_of({2, 2, 2, 2}, 2), ElementsAre(1, 2, 1, 2));
  EXPECT_THAT(shards_of({7}, 3), ElementsAre(1));
  EXPECT_THAT(shards_of({}, 3), ElementsAre());
}

// Real ones, giants of 7,000 residues among them; see tests/data/lengths.
TEST(ShardsOfTest, TenThousandProteinsOverSixteenShardsAreBalanced) {
  std::ifstream in(test_data() / "lengths/proteins.txt");
  const std::vector<std::int64_t> lengths{std::istream_iterator<std::int64_t>(in), {}};
  ASSERT_EQ(lengths.size(), 10'000U);
  const ModelShape language_model{2560, 36, 40, 10240};  // of esmfold_v1
  const FoldConfig folding;
  for (const bool fold : {false, true}) {
    std::vector<double> costs;
    for (const std::int64_t length : lengths) {
      costs.push_back(forward_flops(language_model, length + end_tokens) + (fold ? fold_flops(folding, length, 4) : 0));
    }
    const std::vector<std::int64_t> shards = shards_of(costs, 16);
    std::vector<double> loads(16, 0.0);
    for (std::size_t i = 0; i < costs.size(); ++i) loads[static_cast<std::size_t>(shards[i] - 1)] += costs[i];
    const auto [least, most] = std::ranges::minmax(loads);
    const double spread = (most - least) / (std::accumulate(loads.begin(), loads.end(), 0.0) / 16);
    std::printf("16 shards %s: they differ by %.5f %%\n", fold ? "of folding" : "of embedding", 100 * spread);
    EXPECT_LT(spread, 0.03);
  }
}

}  // namespace
}  // namespace pleat
