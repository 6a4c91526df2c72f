// The power is cut after every call that a run makes to the file system, and what no flush had covered is kept, lost or
// torn. From each state the next run must get to the file of an undisturbed run, and must not compute again what a
// flush had covered.
#include <chrono>
#include <iostream>
#include <optional>

#include "power_cut_fixture.h"
#include "results/store_fixture.h"

namespace pleat::fault {
namespace {

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
  for (const auto& [number, code] : flush_errors) {
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

}  // namespace
}  // namespace pleat::fault
