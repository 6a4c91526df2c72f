#include "engine/batch_queue.h"

#include <gtest/gtest.h>

#include <future>

namespace pleat {
namespace {

using namespace std::chrono_literals;

Batch batch_of(std::int64_t row, double flops = 1) { return {{row}, 1, flops}; }

bool any(const Batch& /*batch*/) { return true; }

TEST(BatchQueueTest, GivesTheFirstThatFits) {
  BatchQueue queue({batch_of(0, 9), batch_of(1, 5), batch_of(2, 3)});
  const auto cheap = [](const Batch& batch) { return batch.flops < 6; };
  EXPECT_EQ(queue.pop(cheap)->rows[0], 1);
  EXPECT_EQ(queue.pop(any)->rows[0], 0);
  EXPECT_EQ(queue.pop(any)->rows[0], 2);
  EXPECT_FALSE(queue.is_finished());
  for (int i = 0; i < 3; ++i) queue.done();
  EXPECT_TRUE(queue.is_finished());
  EXPECT_FALSE(queue.pop(any).has_value());
}

TEST(BatchQueueTest, ABatchThatNobodyTakesIsNotDone) {
  BatchQueue queue({batch_of(0)});
  EXPECT_FALSE(queue.pop([](const Batch&) { return false; }).has_value());
  EXPECT_FALSE(queue.is_finished());
}

TEST(BatchQueueTest, WaitsForWhatMayComeBack) {
  BatchQueue queue({batch_of(0)});
  EXPECT_TRUE(queue.pop(any).has_value());
  auto next = std::async(std::launch::async, [&] { return queue.pop(any); });
  EXPECT_EQ(next.wait_for(50ms), std::future_status::timeout);
  queue.put_back({batch_of(7)});
  EXPECT_EQ(next.get()->rows[0], 7);
  queue.done();
  EXPECT_TRUE(queue.is_finished());
}

TEST(BatchQueueTest, AtOnceItGivesWhatIsThereAndDoesNotWait) {
  BatchQueue queue({batch_of(0), batch_of(1)});
  EXPECT_EQ(queue.pop(any)->rows[0], 0);
  EXPECT_FALSE(queue.pop_at_once([](const Batch&) { return false; }).has_value());
  EXPECT_EQ(queue.pop_at_once(any)->rows[0], 1);
  EXPECT_FALSE(queue.pop_at_once(any).has_value());
}

TEST(BatchQueueTest, BrokenOffItGivesNothing) {
  BatchQueue queue({batch_of(0), batch_of(1)});
  EXPECT_TRUE(queue.pop(any).has_value());
  queue.break_off();
  EXPECT_FALSE(queue.pop(any).has_value());
  EXPECT_FALSE(queue.pop_at_once(any).has_value());
  EXPECT_FALSE(queue.is_finished());
}

}  // namespace
}  // namespace pleat
