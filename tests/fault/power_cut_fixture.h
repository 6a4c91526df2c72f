// What the tests of power cuts share: which cuts there are, and how they are explored.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "power_cut.h"
#include "recorder.h"

namespace pleat::fault {

namespace fs = std::filesystem;
using Rows = std::set<std::int64_t>;
using Fates = std::map<std::size_t, Fate>;

// What a disk may answer to fsync, and what becomes of it.
inline constexpr std::array<std::pair<int, ErrorCode>, 3> flush_errors{
    {{EIO, ErrorCode::io}, {ENOSPC, ErrorCode::retry}, {EDQUOT, ErrorCode::retry}}};

inline bool is_long() { return std::getenv("PLEAT_LONG") != nullptr; }

// A folder in memory, where there is one.
class MemoryFolder {
 public:
  MemoryFolder() {
    std::string name = (fs::exists("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path()) / "pleat-cut-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    path_ = fs::canonical(name);
  }
  ~MemoryFolder() { fs::remove_all(path_); }
  MemoryFolder(const MemoryFolder&) = delete;
  MemoryFolder& operator=(const MemoryFolder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Every end of the recording with everything kept, everything lost, and each call alone lost or torn.
inline std::vector<std::pair<std::size_t, Fates>> single_cuts(const PowerCut& cut) {
  std::vector<std::pair<std::size_t, Fates>> cuts;
  for (std::size_t end = 0; end <= cut.calls(); ++end) {
    const std::vector<std::size_t> open = cut.uncovered(end);
    cuts.emplace_back(end, Fates());
    Fates none;
    for (const std::size_t i : open) none[i] = Fate::dropped;
    cuts.emplace_back(end, none);
    for (const std::size_t i : open) {
      cuts.emplace_back(end, Fates{{i, Fate::dropped}});
      if (cut.call(i).kind != Call::Kind::write) continue;
      for (const Fate fate : {Fate::torn_512, Fate::torn_4096, Fate::zeros}) cuts.emplace_back(end, Fates{{i, fate}});
    }
  }
  return cuts;
}

inline std::pair<std::size_t, Fates> random_cut(const PowerCut& cut, std::mt19937& random) {
  const std::size_t end = std::uniform_int_distribution<std::size_t>(1, cut.calls())(random);
  Fates fates;
  for (const std::size_t i : cut.uncovered(end)) {
    const int last = cut.call(i).kind == Call::Kind::write ? 4 : 1;
    fates[i] = static_cast<Fate>(std::uniform_int_distribution<int>(0, last)(random));
  }
  return {end, fates};
}

inline std::size_t hash_of(const Tree& tree) {
  std::string all;
  for (const auto& [path, node] : tree) all += path + (node.is_folder ? "/" : "=") + node.content + '\0';
  return std::hash<std::string>()(all);
}

class PowerCutTest : public ::testing::Test {
 protected:
  PowerCutTest() { Recorder::skip_flushes(true); }
  ~PowerCutTest() override {
    Recorder::skip_flushes(false);
    Recorder::fail_flush(-1, 0);
  }

  // Calls `check` with different states, at least `wanted` where there are so many: all single cuts in a seeded order,
  // as many as that, then combinations.
  void explore(const PowerCut& cut, std::size_t wanted,
               const std::function<void(const Tree& state, std::int64_t marks)>& check) {
    std::mt19937 random(1);
    std::vector<std::pair<std::size_t, Fates>> cuts = single_cuts(cut);
    std::ranges::shuffle(cuts, random);
    std::set<std::pair<std::size_t, std::int64_t>> seen;
    const auto visit = [&](const std::pair<std::size_t, Fates>& where) {
      const Tree state = cut.state(where.first, where.second);
      const std::int64_t marks = cut.marks(where.first);
      if (!seen.emplace(hash_of(state), marks).second) return;
      SCOPED_TRACE("after call " + std::to_string(where.first) + " of " + std::to_string(cut.calls()));
      check(state, marks);
    };
    for (const auto& where : cuts) {
      if (seen.size() >= wanted || HasFailure()) break;
      visit(where);
    }
    for (std::size_t tries = 0; seen.size() < wanted && tries < 1000 * wanted && !HasFailure(); ++tries) {
      visit(random_cut(cut, random));
    }
    std::cout << "power cuts: " << ::testing::UnitTest::GetInstance()->current_test_info()->name() << ": "
              << cut.calls() << " calls, explored " << seen.size() << " states, lost " << (HasFailure() ? 1 : 0)
              << "\n";
    EXPECT_GE(seen.size(), wanted);
  }

  MemoryFolder scratch_;
};

}  // namespace pleat::fault
