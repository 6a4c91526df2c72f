// The power is cut after every call that a merge and a write to the cache make to the file system, as of a run in
// power_cut_test.cc.
#include <iostream>
#include <optional>

#include "power_cut_fixture.h"
#include "results/merge.h"
#include "results/result_cache.h"
#include "results/store_fixture.h"
#include "sequence/shard.h"

namespace pleat::fault {
namespace {

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

// As of a run, above: somebody notices, no half of a file gets the output's name, and the next merge makes it.
TEST_F(MergeCutTest, EveryFlushFails) {
  Recorder::fail_flush(-1, 0);
  Recorder::begin(folder_);
  merge();
  Recorder::end();
  const std::int64_t flushes = Recorder::flushes();
  const std::string expected = content_of(output());
  ASSERT_GE(flushes, 2);
  for (const auto& [number, code] : flush_errors) {
    for (std::int64_t n = 0; n < flushes; ++n) {
      SCOPED_TRACE("flush " + std::to_string(n) + " answers " + std::to_string(number));
      write_tree({}, folder_);
      Recorder::fail_flush(n, number);
      Recorder::begin(folder_);
      const Error error = error_of([this] { merge(); });
      const PowerCut cut(folder_, {}, Recorder::end());
      Recorder::fail_flush(-1, 0);
      EXPECT_EQ(error.code(), code) << error.what();
      Fates lost;
      for (const std::size_t i : cut.uncovered(cut.calls())) lost[i] = Fate::dropped;
      for (const Tree& left : {read_tree(folder_), cut.state(cut.calls(), lost)}) {
        write_tree(left, folder_);
        ASSERT_TRUE(!fs::exists(output()) || content_of(output()) == expected);
        merge();
        ASSERT_TRUE(content_of(output()) == expected);
        ASSERT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1) << "something is left";
      }
    }
  }
  std::cout << "power cuts: a flush of a merge that fails: " << flushes << " flushes, explored " << 6 * flushes
            << " states, lost 0\n";
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
  const auto keep_all = [&] {
    ResultCache cache = open();
    for (const std::int64_t row : {0, 1, 2}) cache.keep(dataset.sequences, result_of(dataset, layout, row));
    return cache.counts().not_kept;
  };
  const auto go_on = [&](const Tree& state) {
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
  };
  Recorder::fail_flush(-1, 0);
  Recorder::begin(folder);
  ASSERT_EQ(keep_all(), 0);
  const PowerCut cut(folder, {}, Recorder::end());
  EXPECT_EQ(Recorder::flushes(), 0) << "where it waits for flushes, each must be made to fail, as a merge's are";
  explore(cut, is_long() ? 3'000 : 300, [&](const Tree& state, std::int64_t) { go_on(state); });
}

}  // namespace
}  // namespace pleat::fault
