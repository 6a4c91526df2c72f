#include "core/stop.h"

#include <gtest/gtest.h>

#include <csignal>
#include <thread>

namespace pleat {
namespace {

TEST(ThrowIfStopped, OnlyOnceASignalHasArrived) {
  StopFlag stop = 0;
  EXPECT_NO_THROW(throw_if_stopped(nullptr));
  EXPECT_NO_THROW(throw_if_stopped(&stop));
  stop = SIGTERM;
  try {
    throw_if_stopped(&stop);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Stopped& stopped) {
    EXPECT_EQ(stopped.signal(), SIGTERM);
  }
}

TEST(StopScopeTest, CountsForItsThreadAndItsLifetime) {
  const StopFlag outer = 0;
  const StopFlag inner = 0;
  EXPECT_EQ(StopScope::current(), nullptr);
  {
    const StopScope one(outer);
    EXPECT_EQ(StopScope::current(), &outer);
    {
      const StopScope two(inner);
      EXPECT_EQ(StopScope::current(), &inner);
    }
    EXPECT_EQ(StopScope::current(), &outer);
    const StopFlag* elsewhere = &outer;
    std::thread([&] { elsewhere = StopScope::current(); }).join();
    EXPECT_EQ(elsewhere, nullptr);
  }
  EXPECT_EQ(StopScope::current(), nullptr);
}

}  // namespace
}  // namespace pleat
