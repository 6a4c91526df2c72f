// One run at a time in a work folder, with locks and without; and whether the disks hold what is to come.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <thread>

#include "core/locked_file.h"
#include "format/record_parts.h"
#include "store_fixture.h"
#include "system_calls.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

class WorkFolderTest : public StoreTest {
 protected:
  WorkFolderTest() : dataset_(dataset_of({60, 200, 7})), layout_(full_layout(DType::float32)) {}
  ~WorkFolderTest() override { system_calls().reset(); }

  [[nodiscard]] std::unique_ptr<ResultWriter> writer(const std::string& output = "x.h5") const {
    WriterOptions options;
    options.work_folder = in_folder("work");
    options.owner_pace = {10ms, 300ms};
    return std::make_unique<ResultWriter>(in_folder(output), layout_, dataset_, options);
  }

  [[nodiscard]] fs::path owner_file() const { return in_folder("work") / "pleat-owner.json"; }

  void expect_refused() const {
    const Error error = error_of([&] { static_cast<void>(writer("y.h5")); });
    EXPECT_EQ(error.code(), ErrorCode::cannot_create);
    EXPECT_THAT(error.what(), HasSubstr("is in use by process " + std::to_string(::getpid())));
  }

  Dataset dataset_;
  ResultLayout layout_;
};

TEST_F(WorkFolderTest, ALockThatIsHeldIsNoLockThatCannotBeHad) {
  const LockedFile first = open_locked(in_folder("lock"));
  EXPECT_TRUE(first.is_ours && first.is_locked);
  EXPECT_FALSE(open_locked(in_folder("lock")).is_ours);
  for (const int error : {ENOLCK, EOPNOTSUPP, ENOSYS}) {
    system_calls().flock_error = error;
    const LockedFile unlocked = open_locked(in_folder("lock"));
    EXPECT_TRUE(unlocked.is_ours) << error;
    EXPECT_FALSE(unlocked.is_locked) << error;
  }
  system_calls().flock_error = EWOULDBLOCK;
  EXPECT_FALSE(open_locked(in_folder("lock")).is_ours);
}

TEST_F(WorkFolderTest, WithLocksTheOwnerIsNotWaitedFor) {
  EXPECT_TRUE(writer()->is_locked());
  const auto first = writer();
  expect_refused();
}

TEST_F(WorkFolderTest, WithoutLocksAnotherProcessIsFoundByItsOwnerFile) {
  system_calls().flock_error = ENOLCK;
  {
    const auto first = writer();
    EXPECT_FALSE(first->is_locked());
    expect_refused();
  }
  EXPECT_FALSE(fs::exists(owner_file()));
  EXPECT_FALSE(writer()->is_locked());
}

// Some network file systems give each machine locks of its own.
TEST_F(WorkFolderTest, AProcessOnAnotherMachineIsFoundByItsHeartbeat) {
  system_calls().flock_error = ENOLCK;
  system_calls().host_name = "elsewhere";
  const auto first = writer();
  first->add(result_of(dataset_, layout_, 0));
  system_calls().host_name = nullptr;
  expect_refused();
  system_calls().flock_error = 0;
  expect_refused();
  EXPECT_TRUE(fs::exists(in_folder("work") / "pleat.lock")) << "whoever comes next would get another lock";
  first->add(result_of(dataset_, layout_, 1));  // it goes on
}

TEST_F(WorkFolderTest, WhoShowsNoLifeIsReplaced) {
  fs::create_directory(in_folder("work"));
  for (const char* const left : {R"({"host": "elsewhere", "process": 7, "beat": "3"})", "no JSON", ""}) {
    write_content(owner_file(), left);
    const auto begin = std::chrono::steady_clock::now();
    writer()->add(result_of(dataset_, layout_, 0));
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 300ms);
    fs::remove_all(in_folder("work"));
    fs::create_directory(in_folder("work"));
  }
}

TEST_F(WorkFolderTest, WhoIsReplacedWritesNoMore) {
  const auto first = writer();
  first->add(result_of(dataset_, layout_, 0));
  write_content(owner_file(), R"({"host": "elsewhere", "process": 7, "nonce": "x"})");
  std::optional<Error> told;
  for (int i = 0; i < 500 && !told; ++i) {
    std::this_thread::sleep_for(10ms);
    try {
      first->sync_if_due();
    } catch (const Error& error) {
      told = error;
    }
  }
  ASSERT_TRUE(told);
  EXPECT_EQ(told->code(), ErrorCode::cannot_create);
  EXPECT_THAT(told->what(), HasSubstr("in use by process 7 on elsewhere"));
  EXPECT_EQ(error_of([&] { first->add(result_of(dataset_, layout_, 1)); }).code(), ErrorCode::cannot_create);
  EXPECT_THAT(content_of(owner_file()), HasSubstr("elsewhere"));
}

std::int64_t numbers_of(const ResultLayout& layout, const Dataset& dataset) {
  std::int64_t bytes = 0;
  for (std::int64_t row = 0; row < dataset.sequences.size(); ++row) {
    bytes += uncompressed_bytes(layout, dataset.sequences.length(row));
  }
  return bytes;
}

// The file comes on top of the segments.
TEST_F(WorkFolderTest, ARunThatCannotFitIsRefusedBeforeItComputes) {
  const std::int64_t numbers = numbers_of(layout_, dataset_);
  for (const std::int64_t free : {std::int64_t{0}, numbers + 10'000, 2 * numbers}) {
    system_calls().free_bytes = free;
    const Error error = error_of([&] { static_cast<void>(writer()); });
    EXPECT_EQ(error.code(), ErrorCode::retry) << free;
    EXPECT_THAT(error.what(), HasSubstr("before they are compressed")) << free;
    EXPECT_THAT(listing(), ElementsAre()) << free;
  }
  system_calls().free_bytes = 2 * numbers + 200'000;
  EXPECT_NO_THROW(writer());
}

TEST_F(WorkFolderTest, ARunWhoseDiskShrinksStopsEarlyWithWhatItHas) {
  {
    const auto first = writer();
    first->add(result_of(dataset_, layout_, 1));
    first->sync();
    std::this_thread::sleep_for(1100ms);
    first->sync_if_due();
    system_calls().free_bytes = numbers_of(layout_, dataset_);
    std::this_thread::sleep_for(1100ms);
    EXPECT_EQ(error_of([&] { first->sync_if_due(); }).code(), ErrorCode::retry);
  }
  system_calls().reset();
  EXPECT_EQ(writer()->earlier().sequences, 1);
}

}  // namespace
}  // namespace pleat
