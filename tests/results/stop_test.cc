// A signal, or the end of time, while results are taken up, put together or merged: it ends at once, and the next try
// makes the file.
#include "core/stop.h"

#include <csignal>
#include <numeric>

#include "results/merge.h"
#include "sequence/shard.h"
#include "store_fixture.h"

namespace pleat {
namespace {

class StopTest : public StoreTest, public ::testing::WithParamInterface<StopReason> {
 protected:
  StopTest() {
    if (GetParam() == StopReason::signal) asked_.request_signal(SIGTERM);
    if (GetParam() == StopReason::deadline) asked_.set_deadline(StopToken::Clock::now());
  }

  template <class Body>
  void expect_stopped(const Body& body) const {
    try {
      body();
      ADD_FAILURE() << "it was not stopped";
    } catch (const Stopped& stopped) {
      EXPECT_EQ(stopped.reason(), GetParam());
    }
  }

  [[nodiscard]] WriterOptions options(const StopToken* stop) const {
    WriterOptions options;
    options.identity = {{{"inputs", "abc"}}, {}};
    options.stop = stop;
    return options;
  }

  StopToken asked_;
  const Dataset dataset_ = dataset_of({5, 300, 2});
  const ResultLayout layout_ = full_layout(DType::float16);
};

TEST_P(StopTest, PuttingTheFileTogether) {
  const auto undisturbed = in_folder("undisturbed.h5");
  write_results(undisturbed, layout_, dataset_, {0, 1, 2}, options(nullptr));
  const auto file = in_folder("x.h5");
  {
    StopToken token;
    ResultWriter writer(file, layout_, dataset_, options(&token));
    for (const std::int64_t row : {0, 1, 2}) writer.add(result_of(dataset_, layout_, row));
    if (GetParam() == StopReason::signal) token.request_signal(SIGTERM);
    if (GetParam() == StopReason::deadline) token.request(StopReason::deadline);
    expect_stopped([&] { writer.finish(example_attributes()); });
  }
  EXPECT_FALSE(std::filesystem::exists(file));
  ResultWriter writer(file, layout_, dataset_, options(nullptr));
  for (const std::int64_t row : {0, 1, 2}) EXPECT_TRUE(writer.is_done(row));
  writer.finish(example_attributes());
  EXPECT_TRUE(content_of(file) == content_of(undisturbed));
}

TEST_P(StopTest, TakingUpEarlierResults) {
  const auto file = in_folder("x.h5");
  {
    ResultWriter writer(file, layout_, dataset_, options(nullptr));
    writer.add(result_of(dataset_, layout_, 1));
  }
  expect_stopped([&] { const ResultWriter writer(file, layout_, dataset_, options(&asked_)); });
  const ResultWriter writer(file, layout_, dataset_, options(nullptr));
  EXPECT_TRUE(writer.is_done(1));
}

TEST_P(StopTest, Merging) {
  std::vector<std::filesystem::path> parts;
  for (const std::int64_t index : {1, 2}) {
    const Dataset part = take_shard(dataset_, {1, 2, 1}, index, 2);
    parts.push_back(in_folder("part" + std::to_string(index) + ".h5"));
    std::vector<std::int64_t> rows(static_cast<std::size_t>(part.sequences.size()));
    std::iota(rows.begin(), rows.end(), std::int64_t{0});
    write_results(parts.back(), layout_, part, rows);
  }
  const auto file = in_folder("x.h5");
  const std::vector<std::string> before = listing();
  expect_stopped([&] { merge_results(parts, file, {.stop = &asked_}); });
  EXPECT_EQ(listing().size(), before.size()) << "something is left";
  merge_results(parts, file, {});
  EXPECT_TRUE(std::filesystem::exists(file));
}

INSTANTIATE_TEST_SUITE_P(Reasons, StopTest, ::testing::Values(StopReason::signal, StopReason::deadline),
                         [](const auto& reason) {
                           return std::string(reason.param == StopReason::signal ? "signal" : "deadline");
                         });

}  // namespace
}  // namespace pleat
