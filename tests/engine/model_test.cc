// The scheduler against a model of what can happen to a run: each seed is one run, with devices that are slow, stall
// and come back, hang, are lost, leave, and run out of memory; rows that fail always, beside others, or take their
// device with them; a consumer that is slow or fails; signals and deadlines. Whatever happens, each row is delivered
// once, nothing waits for ever, and what comes of a row depends neither on its neighbours nor on time.
// tests/fault/test_planted.py plants faults into the scheduler and shows that these runs find them.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "simulation.h"

namespace pleat {
namespace {

TEST(ModelTest, EverySeedKeepsThePromises) {
  const std::uint64_t seeds = std::getenv("PLEAT_LONG") != nullptr ? 100000 : 2000;
  std::uint64_t wrong = 0;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    const std::vector<std::string> complaints = Simulation(seed).run();
    if (complaints.empty()) continue;
    ADD_FAILURE() << "seed " << seed << ": " << complaints.front();
    if (++wrong == 10) break;
  }
  std::printf("model: %llu runs, wrong %llu\n", static_cast<unsigned long long>(seeds),
              static_cast<unsigned long long>(wrong));
}

}  // namespace
}  // namespace pleat
