#include "plan/batches.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

namespace pleat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// What a row of so many tokens costs, for these tests.
std::vector<double> costs(const std::vector<std::int64_t>& tokens) {
  std::vector<double> flops;
  for (const std::int64_t count : tokens) flops.push_back(static_cast<double>(count * count));
  return flops;
}

std::vector<Batch> plan(const std::vector<std::int64_t>& tokens, std::int64_t max_tokens) {
  return plan_batches(tokens, costs(tokens), max_tokens);
}

std::vector<std::vector<std::int64_t>> rows_of(const std::vector<Batch>& batches) {
  std::vector<std::vector<std::int64_t>> rows;
  rows.reserve(batches.size());
  for (const Batch& batch : batches) rows.push_back(batch.rows);
  return rows;
}

// Lengths as of real proteins, some of them refused (0 tokens) and some longer than any budget used here.
std::vector<std::int64_t> many_tokens() {
  std::mt19937 random(1);
  std::lognormal_distribution<double> length(5.7, 0.8);
  std::vector<std::int64_t> tokens(5000);
  for (std::int64_t& count : tokens) count = 2 + static_cast<std::int64_t>(length(random));
  for (std::size_t row = 0; row < tokens.size(); row += 50) tokens[row] = 0;
  tokens[17] = 100'000;
  return tokens;
}

TEST(PlanBatches, LongestFirstAndByRowAmongEquals) {
  EXPECT_THAT(rows_of(plan({5, 9, 5, 7, 9}, 1000)), ElementsAre(ElementsAre(1, 4, 3, 0, 2)));
}

TEST(PlanBatches, ByRowButForTheBatchWithTheLongest) {
  const std::vector<std::int64_t> tokens{5, 0, 5, 5, 9, 5, 5, 5};
  const std::vector<Batch> batches = plan_batches(tokens, std::vector<double>(8, 1), 15, BatchOrder::by_row);
  EXPECT_THAT(rows_of(batches), ElementsAre(ElementsAre(3, 4), ElementsAre(0, 2), ElementsAre(5, 6), ElementsAre(7)));
}

TEST(PlanBatches, ABatchEndsWhereTheNextSequenceWouldBreakTheBudget) {
  EXPECT_THAT(rows_of(plan({10, 10, 10, 10, 10}, 20)),
              ElementsAre(ElementsAre(0, 1), ElementsAre(2, 3), ElementsAre(4)));
  EXPECT_THAT(rows_of(plan({10, 10, 10}, 19)), ElementsAre(ElementsAre(0), ElementsAre(1), ElementsAre(2)));
}

TEST(PlanBatches, ASequenceLongerThanTheBudgetIsABatchOfItsOwn) {
  const std::vector<Batch> batches = plan({3, 100, 4, 200}, 10);
  EXPECT_THAT(rows_of(batches), ElementsAre(ElementsAre(3), ElementsAre(1), ElementsAre(2, 0)));
  EXPECT_EQ(batches[0].tokens, 200);
}

TEST(PlanBatches, RowsWithoutTokensAreLeftOut) {
  EXPECT_THAT(rows_of(plan({0, 3, 0, 4}, 100)), ElementsAre(ElementsAre(3, 1)));
  EXPECT_THAT(plan({0, 0}, 100), IsEmpty());
  EXPECT_THAT(plan({}, 100), IsEmpty());
}

TEST(PlanBatches, AHugeBudgetGivesOneBatch) {
  EXPECT_EQ(plan(many_tokens(), std::numeric_limits<std::int64_t>::max() / 2).size(), 1U);
}

class PlanBatchesOfMany : public testing::TestWithParam<std::int64_t> {};

TEST_P(PlanBatchesOfMany, EveryRowOnceWithinTheBudgetAndNoBatchLeftHalfEmpty) {
  const std::int64_t budget = GetParam();
  const std::vector<std::int64_t> tokens = many_tokens();
  const std::vector<Batch> batches = plan(tokens, budget);
  std::vector<int> seen(tokens.size());
  std::int64_t previous = std::numeric_limits<std::int64_t>::max();
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const Batch& batch = batches[i];
    std::int64_t sum = 0;
    double flops = 0;
    for (const std::int64_t row : batch.rows) {
      ++seen[row];
      sum += tokens[row];
      flops += static_cast<double>(tokens[row] * tokens[row]);
      EXPECT_LE(tokens[row], previous);
      previous = tokens[row];
    }
    EXPECT_EQ(batch.tokens, sum);
    EXPECT_NEAR(batch.flops, flops, 1e-6 * flops);
    EXPECT_TRUE(sum <= budget || batch.rows.size() == 1);
    // The first sequence of the next batch had no room here.
    if (i + 1 < batches.size()) {
      EXPECT_GT(sum + tokens[batches[i + 1].rows.front()], budget);
    }
  }
  for (std::size_t row = 0; row < tokens.size(); ++row) EXPECT_EQ(seen[row], tokens[row] > 0 ? 1 : 0) << row;
}

INSTANTIATE_TEST_SUITE_P(Budgets, PlanBatchesOfMany, testing::Values(8, 512, 2048, 65536));

TEST(PlanBatches, IsPure) {
  const std::vector<std::int64_t> tokens = many_tokens();
  const std::vector<Batch> first = plan(tokens, 2048);
  const std::vector<Batch> second = plan(tokens, 2048);
  EXPECT_EQ(rows_of(first), rows_of(second));
}

TEST(PlanBatches, DearTokensMakeSmallerBatches) {
  std::vector<std::int64_t> tokens(100, 10);
  tokens.insert(tokens.end(), 10, 100);
  const std::vector<Batch> batches = plan(tokens, 500);
  // Ten rows of 100 cost 100,000 together, a hundred rows of 10 only 10,000: 55 a token.
  for (const Batch& batch : batches) EXPECT_LE(batch.flops, 1.01 * 500 * 55);
  EXPECT_EQ(batches.front().rows.size(), 2U);
  EXPECT_EQ(batches[batches.size() - 2].rows.size(), 50U);
}

TEST(BalancedTokens, GivesEachDeviceEnoughBatches) {
  EXPECT_EQ(balanced_tokens(1'000'000, 1, 2048), 2048);
  EXPECT_EQ(balanced_tokens(1'000'000, 4, 2048), 2048);
  EXPECT_EQ(balanced_tokens(32'000, 4, 2048), 1000);
  EXPECT_EQ(balanced_tokens(1'000, 4, 2048), 256);
  EXPECT_EQ(balanced_tokens(1'000, 4, 100), 100);
}

}  // namespace
}  // namespace pleat
