#include "plan/interruptions.h"

#include <gmock/gmock.h>

#include <cstdint>
#include <set>
#include <vector>

namespace pleat {
namespace {

using testing::ElementsAre;

std::vector<std::vector<std::int64_t>> plan(const Interruptions& interruptions,
                                            const std::vector<std::int64_t>& tokens) {
  const std::vector<double> flops(tokens.begin(), tokens.end());
  std::vector<std::vector<std::int64_t>> rows;
  for (const Batch& batch : plan_after(interruptions, tokens, flops, 100, BatchOrder::longest_first)) {
    rows.push_back(batch.rows);
  }
  return rows;
}

TEST(Interruptions, WithoutAnyNothingChanges) {
  EXPECT_THAT(plan({}, {90, 50, 40}), ElementsAre(ElementsAre(0), ElementsAre(1, 2)));
}

TEST(Interruptions, WhatWasUnderWayComesLastAndAlone) {
  EXPECT_THAT(plan({{{0, 1}, {3, 2}, {4, 1}}, false}, {90, 50, 40, 10, 20, 0}),
              ElementsAre(ElementsAre(1, 2), ElementsAre(4), ElementsAre(0), ElementsAre(3)));
}

TEST(Interruptions, AfterARunWithoutAResultTheCheapestComesFirst) {
  EXPECT_THAT(plan({{{1, 1}}, true}, {90, 5, 40, 0}), ElementsAre(ElementsAre(1), ElementsAre(2), ElementsAre(0)));
}

// A row takes as many seconds as it has tokens; nothing ends that does not fit into the rest of a run.
void run_for(std::int64_t seconds, std::vector<std::int64_t>& tokens, Interruptions& interruptions) {
  std::vector<std::int64_t> under_way;
  std::int64_t results = 0;
  for (const std::vector<std::int64_t>& rows : plan(interruptions, tokens)) {
    for (const std::int64_t row : rows) seconds -= tokens[static_cast<std::size_t>(row)];
    if (seconds < 0) {
      under_way = rows;
      break;
    }
    for (const std::int64_t row : rows) tokens[static_cast<std::size_t>(row)] = 0;
    ++results;
  }
  for (const std::int64_t row : under_way) ++interruptions.counts[row];
  interruptions.last_did_nothing = results == 0 && !under_way.empty();
}

// However short a run: no two of them do nothing as long as there is a row that a run can do.
TEST(Interruptions, NoTwoRunsStayWithoutAResultWhereOneIsPossible) {
  for (std::int64_t seconds = 5; seconds <= 200; ++seconds) {
    std::vector<std::int64_t> tokens{150, 60, 60, 60, 99, 30, 30, 30, 30, 5, 5, 7};
    Interruptions interruptions;
    const auto left = [&] {
      std::int64_t possible = 0;
      for (const std::int64_t count : tokens) possible += count > 0 && count <= seconds ? 1 : 0;
      return possible;
    };
    for (int runs = 0; left() > 0; runs += 2) {
      ASSERT_LT(runs, 30) << seconds;
      const std::int64_t before = left();
      run_for(seconds, tokens, interruptions);
      run_for(seconds, tokens, interruptions);
      ASSERT_LT(left(), before) << seconds;
    }
  }
}

}  // namespace
}  // namespace pleat
