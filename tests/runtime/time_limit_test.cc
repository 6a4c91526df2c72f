#include "runtime/time_limit.h"

#include <gmock/gmock.h>

#include <vector>

#include "core/error.h"

namespace pleat {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class TimeLimitTest : public ::testing::Test {
 protected:
  TimeLimitTest() {
    for (const std::int64_t length : {10, 100, 1500}) {
      Record record;
      record.id = std::to_string(length);
      record.sequence = dataset_.sequences.append(std::string(static_cast<std::size_t>(length), 'A'),
                                                  std::vector<std::uint16_t>(static_cast<std::size_t>(length), 0));
      dataset_.records.push_back(record);
    }
  }

  [[nodiscard]] Error told(std::vector<double> seconds, double under_way = 0) const {
    return time_is_over(dataset_, {1, 10, 1000},
                        {.limit = 3600,
                         .is_done = [=](std::int64_t row) { return seconds[static_cast<std::size_t>(row)] > 0; },
                         .seconds_of = [=](std::int64_t row) { return seconds[static_cast<std::size_t>(row)]; },
                         .seconds_under_way = [=](std::int64_t row) { return row == 2 ? under_way : 0; }});
  }

  Dataset dataset_;
};

TEST_F(TimeLimitTest, WithoutATooLongOneTheSameCommandGoesOn) {
  const Error error = told({1, 20, 0});  // 2,000 s
  EXPECT_EQ(error.code(), ErrorCode::retry);
  EXPECT_THAT(error.what(), Not(HasSubstr("1500")));
  EXPECT_THAT(error.hint(), HasSubstr("same command"));
  EXPECT_THAT(told({0, 0, 0}).hint(), HasSubstr("same command"));
}

TEST_F(TimeLimitTest, WhatTakesLongerThanTheWholeLimitIsNamed) {
  const Error error = told({500, 80, 0});  // by the dearer one 8,000 s, by the cheaper one 500,000
  EXPECT_THAT(error.what(), HasSubstr("'1500' (1500 residues) would take about 2 h 13 min, and --max-time is 60 min"));
  EXPECT_THAT(error.hint(), Not(HasSubstr("same command")));
  EXPECT_THAT(told({0, 80, 0}).hint(), HasSubstr("same command again for the others"));
}

TEST_F(TimeLimitTest, WhatWasUnderWayAllTheTimeIsNamed) {
  EXPECT_THAT(told({0, 0, 0}, 3500).what(), HasSubstr("'1500' (1500 residues) was not done after 58 min"));
  EXPECT_THAT(told({0, 0, 0}, 600).what(), Not(HasSubstr("1500")));
}

}  // namespace
}  // namespace pleat
