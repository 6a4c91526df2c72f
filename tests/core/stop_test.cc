#include "core/stop.h"

#include <gtest/gtest.h>

#include <csignal>
#include <thread>

namespace pleat {
namespace {

using namespace std::chrono_literals;

StopReason reason_thrown(const StopToken& token) {
  try {
    throw_if_stopped(&token);
  } catch (const Stopped& stopped) {
    EXPECT_EQ(stopped.signal(), token.signal());
    return stopped.reason();
  }
  return StopReason::none;
}

TEST(StopTokenTest, StopsForASignal) {
  StopToken token;
  EXPECT_NO_THROW(throw_if_stopped(nullptr));
  EXPECT_EQ(reason_thrown(token), StopReason::none);
  token.request_signal(SIGTERM);
  EXPECT_EQ(reason_thrown(token), StopReason::signal);
  EXPECT_EQ(token.signal(), SIGTERM);
}

TEST(StopTokenTest, TheFirstSignalStays) {
  StopToken token;
  token.request_signal(SIGTERM);
  token.request_signal(SIGINT);
  EXPECT_EQ(token.signal(), SIGTERM);
}

TEST(StopTokenTest, StopsAtItsDeadline) {
  StopToken token;
  token.set_deadline(StopToken::Clock::now() + 1h);
  EXPECT_FALSE(token.is_requested());
  token.set_deadline(StopToken::Clock::now() - 1ns);
  EXPECT_EQ(reason_thrown(token), StopReason::deadline);
  EXPECT_EQ(token.signal(), 0);
}

TEST(StopTokenTest, AWeightierReasonReplacesAnother) {
  StopToken token;
  token.request(StopReason::deadline);
  EXPECT_EQ(token.reason(), StopReason::deadline);
  token.request_signal(SIGHUP);
  token.request(StopReason::deadline);
  EXPECT_EQ(token.reason(), StopReason::signal);
  token.request(StopReason::failure);
  EXPECT_EQ(token.reason(), StopReason::failure);
  EXPECT_EQ(token.signal(), 0);
}

TEST(StopTokenTest, StopsWithTheOneAboveButNotWithTheOneBelow) {
  const auto outer = std::make_shared<StopToken>();
  const auto run = std::make_shared<StopToken>(outer);
  StopToken device(run);
  StopToken other(run);
  device.request(StopReason::failure);
  EXPECT_FALSE(run->is_requested());
  EXPECT_FALSE(other.is_requested());
  outer->request_signal(SIGINT);
  EXPECT_EQ(other.reason(), StopReason::signal);
  EXPECT_EQ(other.signal(), SIGINT);
  run->set_deadline(StopToken::Clock::now() - 1ns);
  EXPECT_EQ(other.reason(), StopReason::signal);
}

TEST(StopScopeTest, CountsForItsThreadAndItsLifetime) {
  const StopToken outer;
  const StopToken inner;
  EXPECT_EQ(StopScope::current(), nullptr);
  {
    const StopScope one(outer);
    EXPECT_EQ(StopScope::current(), &outer);
    {
      const StopScope two(inner);
      EXPECT_EQ(StopScope::current(), &inner);
    }
    EXPECT_EQ(StopScope::current(), &outer);
    const StopToken* elsewhere = &outer;
    std::thread([&] { elsewhere = StopScope::current(); }).join();
    EXPECT_EQ(elsewhere, nullptr);
  }
  EXPECT_EQ(StopScope::current(), nullptr);
}

}  // namespace
}  // namespace pleat
