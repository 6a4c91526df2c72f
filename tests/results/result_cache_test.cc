#include "results/result_cache.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "format/record_parts.h"
#include "store_fixture.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;

class ResultCacheTest : public StoreTest {
 protected:
  ResultCache open(const ResultLayout& layout, const NamedValues& same = {{"model_sha256", "aa"}}) const {
    return {in_folder("cache"), layout, same};
  }
  // The files of the cache, passing ones too.
  [[nodiscard]] std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(in_folder("cache"))) {
      if (entry.is_regular_file()) found.push_back(entry.path());
    }
    return found;
  }
  const Dataset dataset_ = dataset_of({7, 12, 30});
};

std::vector<std::vector<std::byte>> arrays_of(const SequenceResult& result, const ResultLayout& layout) {
  std::vector<std::vector<std::byte>> arrays;
  for (const auto bytes : bytes_of(result, layout)) arrays.emplace_back(bytes.begin(), bytes.end());
  return arrays;
}

TEST_F(ResultCacheTest, GivesWhatItWasGiven) {
  for (const DType dtype : {DType::float16, DType::float32}) {
    for (ResultLayout layout : {full_layout(dtype), folding_layout(dtype)}) {
      layout.structure = true;
      ResultCache cache = open(layout);
      for (std::int64_t row = 0; row < dataset_.sequences.size(); ++row) {
        EXPECT_FALSE(cache.find(dataset_.sequences, row));
        cache.keep(dataset_.sequences, result_of(dataset_, layout, row));
      }
      for (std::int64_t row = 0; row < dataset_.sequences.size(); ++row) {
        const auto found = open(layout).find(dataset_.sequences, row);
        ASSERT_TRUE(found);
        EXPECT_EQ(found->row, row);
        EXPECT_EQ(found->device, "cache");
        EXPECT_EQ(found->attempts, 0);
        EXPECT_EQ(found->seconds, 0);
        EXPECT_EQ(arrays_of(*found, layout), arrays_of(result_of(dataset_, layout, row), layout));
      }
      EXPECT_EQ(cache.counts().kept, 3);
      EXPECT_EQ(cache.counts().damaged, 0);
      fs::remove_all(in_folder("cache"));
    }
  }
}

TEST_F(ResultCacheTest, KeepsTheNote) {
  const ResultLayout layout = folding_layout(DType::float16);
  SequenceResult result = result_of(dataset_, layout, 1);
  result.error_code = "suspicious_structure";
  result.message = "atoms \"overlap\"\nin ångström";
  open(layout).keep(dataset_.sequences, result);
  const auto found = open(layout).find(dataset_.sequences, 1);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->error_code, result.error_code);
  EXPECT_EQ(found->message, result.message);
}

TEST_F(ResultCacheTest, AnotherModelTaskOrSequenceIsNotFound) {
  const ResultLayout layout = full_layout(DType::float16);
  open(layout).keep(dataset_.sequences, result_of(dataset_, layout, 1));
  EXPECT_TRUE(open(layout).find(dataset_.sequences, 1));
  EXPECT_FALSE(open(layout).find(dataset_.sequences, 0));
  EXPECT_FALSE(open(layout, {{"model_sha256", "ab"}}).find(dataset_.sequences, 1));
  EXPECT_FALSE(open(layout, {{"model_sha256", "aa"}, {"tasks.logits", "true"}}).find(dataset_.sequences, 1));
}

TEST_F(ResultCacheTest, ChainBreaksAreOfTheSequence) {
  const ResultLayout layout = folding_layout(DType::float16);
  Dataset one = dataset_of({6});
  Dataset two;
  two.sequences.append(one.sequences.residues(0), std::vector<std::uint16_t>{0, 0, 0, 1, 1, 1});
  Dataset other;
  other.sequences.append(one.sequences.residues(0), std::vector<std::uint16_t>{0, 0, 1, 1, 1, 1});
  open(layout).keep(two.sequences, result_of(two, layout, 0));
  EXPECT_FALSE(open(layout).find(one.sequences, 0));
  EXPECT_FALSE(open(layout).find(other.sequences, 0));
  EXPECT_TRUE(open(layout).find(two.sequences, 0));
}

TEST_F(ResultCacheTest, FailuresAndLowerPrecisionAreNotKept) {
  const ResultLayout layout = full_layout(DType::float16);
  SequenceResult result = result_of(dataset_, layout, 0);
  result.rung = MemoryRung::lower_precision;
  ResultCache cache = open(layout);
  cache.keep(dataset_.sequences, result);
  SequenceResult failed;
  failed.row = 1;
  failed.failed = true;
  cache.keep(dataset_.sequences, failed);
  result = result_of(dataset_, layout, 2);
  result.rung = MemoryRung::smaller_chunk;  // the same numbers
  cache.keep(dataset_.sequences, result);
  EXPECT_EQ(cache.counts().kept, 1);
  EXPECT_EQ(files().size(), 1U);
}

TEST_F(ResultCacheTest, EveryDamagedByteIsFoundOut) {
  ResultLayout layout = full_layout(DType::float16);
  layout.layers = {6};
  layout.per_residue = layout.contacts = layout.logits = false;
  open(layout).keep(dataset_.sequences, result_of(dataset_, layout, 0));
  const fs::path file = files().at(0);
  const std::string whole = content_of(file);
  ResultCache cache = open(layout);
  std::int64_t damaged = 0;
  const auto expect_miss = [&](const std::string& content) {
    write_content(file, content);
    EXPECT_FALSE(cache.find(dataset_.sequences, 0));
    EXPECT_EQ(cache.counts().damaged, ++damaged);
  };
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    expect_miss(changed);
    expect_miss(whole.substr(0, i));
  }
  expect_miss(whole + "x");
  cache.keep(dataset_.sequences, result_of(dataset_, layout, 0));
  EXPECT_TRUE(cache.find(dataset_.sequences, 0));
  EXPECT_EQ(content_of(file), whole);
}

// A whole file of another entry, put under this name.
TEST_F(ResultCacheTest, AFileUnderAnothersNameIsFoundOut) {
  const ResultLayout layout = full_layout(DType::float16);
  open(layout).keep(dataset_.sequences, result_of(dataset_, layout, 0));
  const fs::path first = files().at(0);
  const std::string content = content_of(first);
  fs::remove(first);
  open(layout).keep(dataset_.sequences, result_of(dataset_, layout, 1));
  write_content(files().at(0), content);
  ResultCache cache = open(layout);
  EXPECT_FALSE(cache.find(dataset_.sequences, 1));
  EXPECT_EQ(cache.counts().damaged, 1);
}

TEST_F(ResultCacheTest, SeveralWritersAndReadersAtOnce) {
  const ResultLayout layout = full_layout(DType::float16);
  std::atomic<std::int64_t> found = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        ResultCache cache = open(layout);
        for (int round = 0; round < 50; ++round) {
          const std::int64_t row = round % dataset_.sequences.size();
          cache.keep(dataset_.sequences, result_of(dataset_, layout, row));
          if (const auto result = cache.find(dataset_.sequences, row)) {
            EXPECT_EQ(arrays_of(*result, layout), arrays_of(result_of(dataset_, layout, row), layout));
            ++found;
          }
        }
        EXPECT_EQ(cache.counts().damaged, 0);
        EXPECT_EQ(cache.counts().not_kept, 0) << cache.counts().why_not_kept;
      });
    }
  }
  EXPECT_EQ(found, 200);
  EXPECT_EQ(files().size(), 3U);
}

TEST_F(ResultCacheTest, ADiskThatIsFullCostsOnlyTheEntry) {
  const ResultLayout layout = full_layout(DType::float16);
  ResultCache cache = open(layout);
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit small {
    500, before.rlim_max
  };
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  cache.keep(dataset_.sequences, result_of(dataset_, layout, 0));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_EQ(cache.counts().not_kept, 1);
  EXPECT_NE(cache.counts().why_not_kept, "");
  EXPECT_TRUE(files().empty());
  EXPECT_FALSE(cache.find(dataset_.sequences, 0));
}

TEST_F(ResultCacheTest, WhatDeadWritersLeftIsRemovedAfterADay) {
  const ResultLayout layout = full_layout(DType::float16);
  static_cast<void>(open(layout));
  const fs::path old = in_folder("cache/tmp/host-1-1");
  const fs::path fresh = in_folder("cache/tmp/host-2-2");
  write_content(old, "x");
  write_content(fresh, "x");
  fs::last_write_time(old, fs::file_time_type::clock::now() - std::chrono::hours(25));
  static_cast<void>(open(layout));
  EXPECT_EQ(files(), std::vector<fs::path>{fresh});
}

TEST_F(ResultCacheTest, AFileInItsPlaceIsRefused) {
  write_content(in_folder("cache"), "");
  const Error error = error_of([&] { static_cast<void>(open(full_layout(DType::float16))); });
  EXPECT_EQ(error.code(), ErrorCode::cannot_create);
}

}  // namespace
}  // namespace pleat
