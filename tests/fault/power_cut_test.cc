// The power is cut after every call that a run, a merge or a write to the cache makes to the file system, and what no
// flush had covered is kept, lost or torn. From each state the next run must get to the file of an undisturbed run, and
// must not compute again what a flush had covered.
#include "power_cut.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "recorder.h"
#include "sequence/shard.h"
#include "store/merge.h"
#include "store/result_cache.h"
#include "store/store_fixture.h"

namespace pleat::fault {
namespace {

namespace fs = std::filesystem;
using Rows = std::set<std::int64_t>;
using Fates = std::map<std::size_t, Fate>;

bool is_long() { return std::getenv("PLEAT_LONG") != nullptr; }

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
std::vector<std::pair<std::size_t, Fates>> single_cuts(const PowerCut& cut) {
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

std::pair<std::size_t, Fates> random_cut(const PowerCut& cut, std::mt19937& random) {
  const std::size_t end = std::uniform_int_distribution<std::size_t>(1, cut.calls())(random);
  Fates fates;
  for (const std::size_t i : cut.uncovered(end)) {
    const int last = cut.call(i).kind == Call::Kind::write ? 4 : 1;
    fates[i] = static_cast<Fate>(std::uniform_int_distribution<int>(0, last)(random));
  }
  return {end, fates};
}

std::size_t hash_of(const Tree& tree) {
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
    for (std::size_t tries = 0; seen.size() < wanted && tries < 20 * wanted && !HasFailure(); ++tries) {
      visit(random_cut(cut, random));
    }
    std::cout << "power cuts: " << ::testing::UnitTest::GetInstance()->current_test_info()->name() << ": "
              << cut.calls() << " calls, explored " << seen.size() << " states, lost " << (HasFailure() ? 1 : 0)
              << "\n";
    EXPECT_GE(seen.size(), wanted);
  }

  MemoryFolder scratch_;
};

class RunCutTest : public PowerCutTest {
 protected:
  RunCutTest() : dataset_(dataset_of({6, 40, 3, 9, 12})) {
    fs::create_directory(folder_);
    layout_.layers = {0};
    layout_.per_residue = layout_.mean = true;
    layout_.width = 64;
    layout_.depth = 6;
    expected_ = finished_file();
    fs::remove(output());
  }

  [[nodiscard]] fs::path output() const { return folder_ / "x.h5"; }

  static WriterOptions options() {
    WriterOptions options;
    options.identity = {{{"inputs", "abc"}}, {{"created", "now"}}};
    options.overwrite = true;
    options.owner_pace.patience = std::chrono::milliseconds(1);  // a state may hold half an owner file
    return options;
  }

  [[nodiscard]] SequenceResult result(std::int64_t row) const {
    if (row != 4) return result_of(dataset_, layout_, row);
    SequenceResult failed;
    failed.row = row;
    failed.failed = true;
    failed.error_code = "compute_failed";
    failed.message = "no";
    return failed;
  }

  std::string finished_file() {
    ResultWriter writer(output(), layout_, dataset_, options());
    add_missing(writer);
    writer.finish(example_attributes());
    return content_of(output());
  }

  // The rows that were added.
  Rows add_missing(ResultWriter& writer) const {
    Rows added;
    for (std::int64_t row = 0; row < dataset_.sequences.size(); ++row) {
      if (writer.is_done(row)) continue;
      writer.add(result(row));
      added.insert(row);
    }
    return added;
  }

  // Ends with results that are not in a file.
  void first_run() {
    ResultWriter writer(output(), layout_, dataset_, options());
    add_and_flush(writer, {1});
    writer.set_under_way({0, 3});
    writer.add_loss({0});
    add_and_flush(writer, {4, 3});
    writer.add(result(2));
  }

  void second_run() {
    ResultWriter writer(output(), layout_, dataset_, options());
    writer.set_model("model");
    if (!writer.is_done(0)) add_and_flush(writer, {0});
    add_missing(writer);
    writer.finish(example_attributes());
  }

  // From the mark on, these rows must never be computed again.
  void add_and_flush(ResultWriter& writer, const std::vector<std::int64_t>& rows) {
    for (const std::int64_t row : rows) writer.add(result(row));
    writer.sync();
    Rows promised = promised_.empty() ? Rows() : promised_.back();
    promised.insert(rows.begin(), rows.end());
    promised_.push_back(promised);
    Recorder::mark();
  }

  [[nodiscard]] Rows promised_after(std::int64_t marks) const {
    return marks == 0 ? Rows() : promised_[static_cast<std::size_t>(marks - 1)];
  }

  PowerCut record(const std::function<void()>& body) {
    promised_.clear();
    Tree before = read_tree(folder_);
    Recorder::begin(folder_);
    try {
      body();
    } catch (const Error& error) {
      error_ = error;
    }
    return {folder_, std::move(before), Recorder::end()};
  }

  // What the next run makes of a state.
  void go_on(const Tree& state, const Rows& promised, const std::string& old = "") {
    write_tree(state, folder_);
    if (fs::exists(output())) {
      const std::string content = content_of(output());
      if (content == expected_) return;
      ASSERT_TRUE(!old.empty() && content == old) << "a file under the output's name is neither old nor new";
    }
    ResultWriter writer(output(), layout_, dataset_, options());
    for (const std::int64_t row : add_missing(writer)) {
      ASSERT_FALSE(promised.contains(row)) << "row " << row << " was flushed, and is computed again";
    }
    writer.finish(example_attributes());
    ASSERT_TRUE(content_of(output()) == expected_);
    ASSERT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1) << "something is left";
  }

  fs::path folder_ = scratch_.path() / "run";
  Dataset dataset_;
  ResultLayout layout_;
  std::string expected_;
  std::vector<Rows> promised_;  // after each mark
  std::optional<Error> error_;
};

TEST_F(RunCutTest, TwoRuns) {
  const PowerCut cut = record([this] {
    first_run();
    second_run();
  });
  ASSERT_FALSE(error_) << error_->what();
  ASSERT_TRUE(content_of(output()) == expected_);
  explore(cut, is_long() ? 75'000 : 2'000,
          [&](const Tree& state, std::int64_t marks) { go_on(state, promised_after(marks)); });
}

TEST_F(RunCutTest, ARunThatReplacesAnOlderFile) {
  write_content(output(), "old");
  const PowerCut cut = record([this] { second_run(); });
  ASSERT_FALSE(error_) << error_->what();
  explore(cut, is_long() ? 15'000 : 500,
          [&](const Tree& state, std::int64_t marks) { go_on(state, promised_after(marks), "old"); });
}

// The disk says that it could not flush, and has lost what it was given, or not.
TEST_F(RunCutTest, EveryFlushFails) {
  const auto both = [this] {
    first_run();
    second_run();
  };
  Recorder::fail_flush(-1, 0);
  record(both);
  const std::int64_t flushes = Recorder::flushes();
  ASSERT_GT(flushes, 10);
  for (const auto& [number, code] :
       {std::pair(EIO, ErrorCode::io), {ENOSPC, ErrorCode::retry}, {EDQUOT, ErrorCode::retry}}) {
    for (std::int64_t n = 0; n < flushes; ++n) {
      SCOPED_TRACE("flush " + std::to_string(n) + " answers " + std::to_string(number));
      write_tree({}, folder_);
      error_.reset();
      Recorder::fail_flush(n, number);
      const PowerCut cut = record(both);
      Recorder::fail_flush(-1, 0);
      ASSERT_TRUE(error_) << "nobody has noticed";
      EXPECT_EQ(error_->code(), code) << error_->what();
      const Rows promised = promised_after(std::ssize(promised_));
      const Tree left = read_tree(folder_);
      Fates lost;
      for (const std::size_t i : cut.uncovered(cut.calls())) lost[i] = Fate::dropped;
      ASSERT_NO_FATAL_FAILURE(go_on(left, promised));
      ASSERT_NO_FATAL_FAILURE(go_on(cut.state(cut.calls(), lost), promised));
    }
  }
  std::cout << "power cuts: a flush that fails: " << flushes << " flushes, explored " << 6 * flushes
            << " states, lost 0\n";
}

TEST_F(RunCutTest, EveryBitOfTheWorkFolderFlips) {
  record([this] { first_run(); });
  const Tree left = read_tree(folder_);
  std::int64_t states = 0;
  std::int64_t next = 0;
  for (const auto& [path, node] : left) {
    if (!path.ends_with(".bin") && !path.ends_with(".jsonl")) continue;
    for (std::size_t at = 0; at < node.content.size(); at += is_long() ? 1 : 29) {
      Tree flipped = left;
      flipped[path].content[at] = static_cast<char>(node.content[at] ^ (1 << (next++ % 8)));
      ASSERT_NO_FATAL_FAILURE(go_on(flipped, {})) << path << " " << at;
      ++states;
    }
  }
  std::cout << "power cuts: flipped bits: explored " << states << " states, lost 0\n";
  EXPECT_GT(states, 100);
}

class MergeCutTest : public PowerCutTest {
 protected:
  MergeCutTest() {
    fs::create_directory(folder_);
    ResultLayout layout;
    layout.layers = {0};
    layout.mean = true;
    layout.width = 64;
    layout.depth = 6;
    const Dataset all = dataset_of({6, 40, 3, 9});
    for (const std::int64_t index : {1, 2}) {
      parts_.push_back(scratch_.path() / ("part" + std::to_string(index) + ".h5"));
      const Dataset part = take_shard(all, {1, 2, 1, 2}, index, 2);
      write_results(parts_.back(), layout, part, {0, 1});
    }
  }

  void merge() const { merge_results(parts_, output(), {}); }
  [[nodiscard]] fs::path output() const { return folder_ / "x.h5"; }

  fs::path folder_ = scratch_.path() / "merge";
  std::vector<fs::path> parts_;
};

TEST_F(MergeCutTest, AMerge) {
  Recorder::begin(folder_);
  merge();
  const PowerCut cut(folder_, {}, Recorder::end());
  const std::string expected = content_of(output());
  explore(cut, is_long() ? 7'000 : 400, [&](const Tree& state, std::int64_t) {
    write_tree(state, folder_);
    merge();
    ASSERT_TRUE(content_of(output()) == expected);
    ASSERT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
  });
}

TEST_F(PowerCutTest, AWriteToTheCache) {
  const fs::path folder = scratch_.path() / "cache";
  fs::create_directory(folder);
  const Dataset dataset = dataset_of({6, 40, 3});
  ResultLayout layout;
  layout.layers = {0};
  layout.per_residue = true;
  layout.width = 64;
  layout.depth = 6;
  const auto open = [&] { return ResultCache(folder / "c", layout, {{"model_sha256", "aa"}}); };
  const auto expect_right = [&](const std::optional<SequenceResult>& found, std::int64_t row) {
    ASSERT_TRUE(found);
    ASSERT_EQ(found->layers[0].per_residue, result_of(dataset, layout, row).layers[0].per_residue);
  };
  Recorder::begin(folder);
  {
    ResultCache cache = open();
    for (const std::int64_t row : {0, 1, 2}) cache.keep(dataset.sequences, result_of(dataset, layout, row));
  }
  const PowerCut cut(folder, {}, Recorder::end());
  explore(cut, is_long() ? 3'000 : 300, [&](const Tree& state, std::int64_t) {
    write_tree(state, folder);
    ResultCache cache = open();
    for (const std::int64_t row : {0, 1, 2}) {
      if (const auto found = cache.find(dataset.sequences, row)) {
        ASSERT_NO_FATAL_FAILURE(expect_right(found, row));
      } else {
        cache.keep(dataset.sequences, result_of(dataset, layout, row));
      }
      ASSERT_NO_FATAL_FAILURE(expect_right(cache.find(dataset.sequences, row), row));
    }
    ASSERT_EQ(cache.counts().not_kept, 0) << cache.counts().why_not_kept;
  });
}

}  // namespace
}  // namespace pleat::fault
