// Faults planted into kernels by the emulator, which the results must show: each barrier and each wait for copies left
// out, one after another, and edges that are not seen.
#pragma once

#include <gtest/gtest.h>

#include "emulator/plain.h"

namespace pleat::emulator {

// Whether some order of warps gives another result than `expected`, or a Fault.
template <class Run, class Result>
bool shows(Options options, const Run& run, const Result& expected) {
  for (const bool late : {true, false}) {
    for (std::uint32_t seed = 1; seed <= 2; ++seed) {
      options.late_copies = late;
      options.seed = seed;
      const WithOptions with(options);
      try {
        if (run() != expected) return true;
      } catch (const Fault&) {
        return true;
      }
    }
  }
  return false;
}

// run() gives a result that can be compared. `unseen` of the sync_warp cannot be missed here, since a shuffle before
// them lets nobody pass either; a GPU needs them for the order of memory, or to bring the lanes together again.
template <class Run>
void expect_each_wait_is_needed(const Run& run, int unseen) {
  std::map<Site, Wait> waits;
  const auto expected = [&] {
    const WithOptions options({});
    auto result = run();
    waits = Machine::get().seen.waits;
    return result;
  }();
  EXPECT_FALSE(shows({}, run, expected)) << "differs without a fault";
  EXPECT_FALSE(waits.empty());
  for (const auto& [site, wait] : waits) {
    if (shows({.left_out = site}, run, expected)) continue;
    if (wait == Wait::warp) {
      --unseen;
    } else {
      ADD_FAILURE() << site.first << ":" << site.second << " can be left out";
    }
  }
  EXPECT_EQ(unseen, 0) << "sync_warp";
}

template <class Run>
void expect_edge_is_needed(const Run& run) {
  const auto expected = run();
  EXPECT_TRUE(shows({.copies_edge = true}, run, expected));
}

}  // namespace pleat::emulator
