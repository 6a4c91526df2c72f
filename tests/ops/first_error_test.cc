#include "ops/first_error.h"

#include <gtest/gtest.h>

#include <csignal>
#include <stdexcept>

namespace pleat {
namespace {

TEST(FirstErrorTest, SkipsWhatComesAfterAnError) {
  FirstError error;
  int done = 0;
  error.guard([&] { ++done; });
  EXPECT_NO_THROW(error.rethrow());
  error.guard([] { throw std::runtime_error("no"); });
  error.guard([&] { ++done; });
  EXPECT_EQ(done, 1);
  EXPECT_THROW(error.rethrow(), std::runtime_error);
}

TEST(FirstErrorTest, StopsWhereTheScopeItWasMadeInSaysSo) {
  StopToken stop;
  int done = 0;
  const auto work = [&] {
    if (++done == 2) stop.request_signal(SIGTERM);
  };
  const StopScope scope(stop);
  FirstError error;
  for (int i = 0; i < 5; ++i) error.guard(work);
  EXPECT_EQ(done, 2);
  EXPECT_THROW(error.rethrow(), Stopped);
}

TEST(FirstErrorTest, WithoutAScopeNothingIsStopped) {
  int done = 0;
  FirstError error;
  for (int i = 0; i < 5; ++i) error.guard([&] { ++done; });
  EXPECT_EQ(done, 5);
  EXPECT_NO_THROW(error.rethrow());
}

}  // namespace
}  // namespace pleat
