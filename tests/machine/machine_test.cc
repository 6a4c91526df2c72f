#include "machine/machine.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <sstream>
#include <thread>
#include <vector>

#include "core/file.h"

namespace pleat {
namespace {

TEST(AvailableMemory, IsThatOfAMachine) {
  EXPECT_GT(available_memory(), 64e6);
  EXPECT_LT(available_memory(), 1e14);
}

TEST(AvailableMemory, KeepsWithinALimitOfTheAddressSpace) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_AS, &before), 0);
  rlim_t pages = 0;
  std::istringstream(read_text_file("/proc/self/statm")) >> pages;
  constexpr rlim_t more = rlim_t{1} << 30;
  const rlimit tight{pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + more, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_AS, &tight), 0);
  const double available = available_memory();
  ASSERT_EQ(setrlimit(RLIMIT_AS, &before), 0);
  EXPECT_GT(available, 0);
  EXPECT_LE(available, static_cast<double>(more) + 64e6);
}

TEST(PeakRssBytes, SeesWhatWasHeldAndNeverFalls) {
  const std::int64_t before = peak_rss_bytes();
  EXPECT_GT(before, 1'000'000);
  constexpr std::int64_t more = 300'000'000;
  {
    const std::vector<char> held(static_cast<std::size_t>(before + more), 'x');
    EXPECT_EQ(std::ranges::count(held, 'x'), before + more);
  }
  EXPECT_GE(peak_rss_bytes(), before + more);
  EXPECT_LT(peak_rss_bytes(), 3 * before + 2 * more);
}

TEST(ProcessSeconds, Pass) {
  const double first = process_seconds();
  EXPECT_GE(first, 0);
  EXPECT_LT(first, 3600);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const double passed = process_seconds() - first;
  EXPECT_GE(passed, 0.049);
  EXPECT_LT(passed, 30);
}

}  // namespace
}  // namespace pleat
