// The file assembled beside the run: its bytes are those of one that was assembled at the end, whatever happens.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <numeric>
#include <random>
#include <thread>

#include "file_size_limit.h"
#include "store_fixture.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Rows = std::vector<std::int64_t>;

// Some chunks of some datasets, and sequences of which some fail and some never come.
class EarlyAssemblyTest : public StoreTest {
 protected:
  EarlyAssemblyTest() : layout_(full_layout(DType::float16)) {
    std::vector<std::int64_t> lengths;
    for (std::int64_t i = 0; i < sequences; ++i) lengths.push_back(20 + i * 37 % 60);
    dataset_ = dataset_of(lengths);
    layout_.width = 1024;
    for (std::int64_t row = 0; row < sequences; ++row) {
      if (row != 5 && row != sequences - 1) coming_.push_back(row);
    }
  }

  [[nodiscard]] SequenceResult result(std::int64_t row) const {
    SequenceResult result = result_of(dataset_, layout_, row);
    std::mt19937 noise(static_cast<unsigned>(row));  // which does not get smaller
    for (LayerResult& layer : result.layers) {
      for (std::byte& byte : layer.per_residue) byte = static_cast<std::byte>(noise());
    }
    if (row % 11 == 3) {
      result = {};
      result.row = row;
      result.failed = true;
      result.error_code = "out_of_memory";
    }
    return result;
  }

  [[nodiscard]] std::vector<bool> to_come() const {
    std::vector<bool> rows(static_cast<std::size_t>(sequences), false);
    for (const std::int64_t row : coming_) rows[static_cast<std::size_t>(row)] = true;
    return rows;
  }

  [[nodiscard]] std::unique_ptr<ResultWriter> writer(bool early = true) const {
    WriterOptions options;
    options.identity = {{{"inputs", "abc"}}, {}};
    auto made = std::make_unique<ResultWriter>(output(), layout_, dataset_, options);
    made->set_model("model");
    if (early) made->assemble_early(to_come());
    return made;
  }

  void add_rest(ResultWriter& writer, const Rows& rows) const {
    for (const std::int64_t row : rows) {
      if (!writer.is_done(row)) writer.add(result(row));
    }
  }

  // The bytes of the file, which is gone then.
  std::string finished(ResultWriter& writer) const {
    writer.finish(example_attributes());
    std::string content = content_of(output());
    fs::remove(output());
    return content;
  }

  std::string at_the_end() const {
    const auto late = writer(false);
    add_rest(*late, coming_);
    return finished(*late);
  }

  [[nodiscard]] fs::path output() const { return in_folder("x.h5"); }
  [[nodiscard]] fs::path partial() const { return in_folder("x.h5.partial"); }

  // Whether the file that is being made gets so large within ten seconds.
  [[nodiscard]] bool grows_beyond(std::uintmax_t bytes) const {
    for (int i = 0; i < 1000; ++i) {
      if (fs::file_size(partial()) > bytes) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }

  static constexpr std::int64_t sequences = 100;
  Dataset dataset_;
  ResultLayout layout_;
  Rows coming_;
};

TEST_F(EarlyAssemblyTest, GivesTheSameBytesInWhicheverOrderResultsCome) {
  const std::string expected = at_the_end();
  ASSERT_GT(expected.size(), 8U << 20);
  Rows backwards(coming_.rbegin(), coming_.rend());
  Rows mixed = coming_;
  std::ranges::shuffle(mixed, std::mt19937(1));
  for (const Rows& order : {coming_, backwards, mixed}) {
    const auto early = writer();
    add_rest(*early, order);
    EXPECT_TRUE(finished(*early) == expected);
  }
}

TEST_F(EarlyAssemblyTest, GrowsWhileResultsCome) {
  const auto early = writer();
  add_rest(*early, Rows(coming_.begin(), coming_.begin() + 50));
  EXPECT_TRUE(grows_beyond(2 << 20));
  add_rest(*early, coming_);
  EXPECT_TRUE(grows_beyond(6 << 20));
}

TEST_F(EarlyAssemblyTest, WaitsForTheFirstThatIsNotThere) {
  const auto early = writer();
  add_rest(*early, Rows(coming_.begin() + 1, coming_.end()));
  std::this_thread::sleep_for(100ms);
  EXPECT_LT(fs::file_size(partial()), 1U << 20);
  add_rest(*early, coming_);
  EXPECT_TRUE(grows_beyond(6 << 20));
}

TEST_F(EarlyAssemblyTest, ARunThatEndsLeavesOnlyItsWorkAndIsGoneOnWith) {
  const std::string expected = at_the_end();
  for (const std::ptrdiff_t done : {0, 1, 40, 98}) {
    {
      const auto cut_off = writer();
      add_rest(*cut_off, Rows(coming_.begin(), coming_.begin() + done));
    }
    EXPECT_THAT(listing(),
                done == 0 ? IsEmpty() : testing::Matcher<std::vector<std::string>>(ElementsAre("x.h5.work")));
    const auto next = writer();
    EXPECT_EQ(next->earlier().sequences, done);
    add_rest(*next, coming_);
    EXPECT_TRUE(finished(*next) == expected);
  }
}

TEST_F(EarlyAssemblyTest, WhenTheDiskIsFullTheFileIsMadeLater) {
  const std::string expected = at_the_end();
  const auto early = writer(false);
  add_rest(*early, coming_);
  {
    const FileSizeLimit full(3 << 20);
    early->assemble_early(to_come());
    const Error error = error_of([&] { early->finish(example_attributes()); });
    EXPECT_EQ(error.code(), ErrorCode::retry);
    EXPECT_THAT(error.what(), HasSubstr("x.h5.partial"));
    EXPECT_EQ(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_FILE), 0);
    EXPECT_THAT(listing(), ElementsAre("x.h5.work"));
  }
  EXPECT_TRUE(finished(*early) == expected);
}

TEST_F(EarlyAssemblyTest, GivesItsRoomToResultsThatNeedIt) {
  const std::string expected = at_the_end();
  const auto early = writer();
  add_rest(*early, Rows(coming_.begin(), coming_.begin() + 50));
  ASSERT_TRUE(grows_beyond(2 << 20));
  {
    const FileSizeLimit full(1 << 20);
    EXPECT_EQ(error_of([&] { early->add(result(coming_[50])); }).code(), ErrorCode::retry);
  }
  EXPECT_EQ(fs::file_size(partial()), 0U);
  add_rest(*early, coming_);
  EXPECT_TRUE(finished(*early) == expected);
}

// What goes wrong in passing and no longer does at the end costs nothing but time.
TEST_F(EarlyAssemblyTest, WhatGoesWrongMeanwhileDoesNotEndTheRun) {
  const std::string expected = at_the_end();
  const auto early = writer(false);
  fs::remove(partial());
  fs::create_directory(partial());
  early->assemble_early(to_come());
  add_rest(*early, coming_);
  std::this_thread::sleep_for(50ms);
  fs::remove(partial());
  EXPECT_TRUE(finished(*early) == expected);
}

TEST_F(EarlyAssemblyTest, ADamagedSegmentIsFoundOut) {
  const auto early = writer(false);
  add_rest(*early, coming_);
  early->sync();
  const fs::path segment = in_folder("x.h5.work") / "pleat-segment-0000.bin";
  std::string content = content_of(segment);
  content[content.size() / 2] ^= 1;
  write_content(segment, content);
  early->assemble_early(to_come());
  const Error error = error_of([&] { early->finish(example_attributes()); });
  EXPECT_EQ(error.code(), ErrorCode::io);
  EXPECT_THAT(error.what(), HasSubstr("is damaged"));
}

TEST_F(EarlyAssemblyTest, ARowThatWasNotToComeIsABug) {
  const auto early = writer();
  const Error error = error_of([&] { early->add(result(5)); });
  EXPECT_EQ(error.code(), ErrorCode::internal);
  EXPECT_THAT(error.what(), HasSubstr("row 5 was not to come"));
}

}  // namespace
}  // namespace pleat
