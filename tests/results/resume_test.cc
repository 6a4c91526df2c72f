// Going on with a run that was cut off: the file is the one an undisturbed run makes, whatever was left on the disk.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "journal/segment_store.h"
#include "results/result_reader.h"
#include "store_fixture.h"

namespace pleat {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr const char* journal_name = "pleat-journal.jsonl";

class ResumeTest : public StoreTest {
 protected:
  ResumeTest() : dataset_(dataset_of({6, 3, 9, 4, 7})), layout_(full_layout(DType::float16)) {
    dataset_.records.push_back(dataset_.records[1]);
    layout_.structure = layout_.pae = true;
  }

  [[nodiscard]] fs::path output() const { return in_folder("x.h5"); }
  [[nodiscard]] fs::path work() const { return in_folder("x.h5.work"); }

  static WriterOptions options() {
    WriterOptions options;
    options.identity = {{{"inputs", "abc"}, {"tasks.contacts", "true"}}, {{"longest", "1000"}}};
    return options;
  }

  SequenceResult result(std::int64_t row) const {
    if (row != 3) {
      SequenceResult result = result_of(dataset_, layout_, row);
      if (row == 2) result.error_code = "suspicious", result.message = "a note \xff with \"bytes\"\n";
      result.rung = row == 4 ? MemoryRung::smaller_chunk : MemoryRung::planned;
      return result;
    }
    SequenceResult failed;
    failed.row = row;
    failed.failed = true;
    failed.error_code = "out_of_memory";
    failed.message = "too large";
    failed.seconds = 0.1;
    return failed;
  }

  void write_rows(ResultWriter& writer, const std::vector<std::int64_t>& rows) const {
    writer.set_model("model");
    for (const std::int64_t row : rows) writer.add(result(row));
  }

  // Adds what is not done yet and returns the bytes of the file.
  std::string finish(const WriterOptions& given = options()) const {
    ResultWriter writer(output(), layout_, dataset_, given);
    writer.set_model("model");
    for (std::int64_t row = 0; row < dataset_.sequences.size(); ++row) {
      if (!writer.is_done(row)) writer.add(result(row));
    }
    writer.finish(example_attributes());
    std::string content = content_of(output());
    fs::remove(output());
    return content;
  }

  // A run that ends after these rows.
  void cut_off_after(const std::vector<std::int64_t>& rows) const {
    ResultWriter writer(output(), layout_, dataset_, options());
    write_rows(writer, rows);
  }

  Error refusal(const WriterOptions& given) const {
    return error_of([&] { ResultWriter(output(), layout_, dataset_, given); });
  }

  Dataset dataset_;
  ResultLayout layout_;
};

TEST_F(ResumeTest, TheFileIsThatOfAnUndisturbedRun) {
  const std::string undisturbed = finish();
  EXPECT_THAT(listing(), IsEmpty());
  cut_off_after({4, 2});
  EXPECT_THAT(listing(), ElementsAre("x.h5.work"));
  cut_off_after({});
  {
    ResultWriter writer(output(), layout_, dataset_, options());
    EXPECT_EQ(writer.earlier().sequences, 2);
    EXPECT_EQ(writer.earlier().damaged, 0);
    EXPECT_TRUE(writer.is_done(4));
    EXPECT_FALSE(writer.is_done(3));
    writer.add(result(3));
    EXPECT_EQ(error_of([&] { writer.add(result(2)); }).code(), ErrorCode::internal);
  }
  EXPECT_TRUE(finish() == undisturbed);
  EXPECT_THAT(listing(), IsEmpty());
}

TEST_F(ResumeTest, WithoutAnyResultNothingIsLeft) {
  {
    ResultWriter writer(output(), layout_, dataset_, options());
    writer.set_model("model");
    EXPECT_THAT(listing(), UnorderedElementsAre("x.h5.work", "x.h5.partial"));
  }
  EXPECT_THAT(listing(), IsEmpty());
}

// A power cut may leave any beginning of what was not flushed.
TEST_F(ResumeTest, TheJournalCutAnywhere) {
  const std::string undisturbed = finish();
  cut_off_after({4, 3, 2, 0});
  fs::copy(work(), in_folder("left"));
  const auto size = fs::file_size(work() / journal_name);
  std::int64_t fewest = 4;
  for (std::uintmax_t bytes = 0; bytes < size; ++bytes) {
    fs::remove_all(work());
    fs::copy(in_folder("left"), work());
    fs::resize_file(work() / journal_name, bytes);
    if (bytes % 16 == 0 || bytes + 300 > size)
      ASSERT_TRUE(finish() == undisturbed) << bytes;
    else {
      const ResultWriter writer(output(), layout_, dataset_, options());
      ASSERT_LE(writer.earlier().sequences, 3) << bytes;
      fewest = std::min(fewest, writer.earlier().sequences);
    }
  }
  EXPECT_EQ(fewest, 0);
}

TEST_F(ResumeTest, TheSegmentCutAnywhere) {
  const std::string undisturbed = finish();
  cut_off_after({4, 3, 2, 0});
  fs::copy(work(), in_folder("left"));
  const fs::path segment = work() / "pleat-segment-0000.bin";
  const auto size = fs::file_size(segment);
  // At every byte in the long tests, minutes of them; else at every 37th and all of the last 40.
  const std::uintmax_t step = std::getenv("PLEAT_LONG") != nullptr ? 1 : 37;
  std::int64_t cuts = 0;
  for (std::uintmax_t bytes = 0; bytes<size; bytes += bytes + 40> size ? 1 : step) {
    fs::remove_all(work());
    fs::copy(in_folder("left"), work());
    fs::resize_file(segment, bytes);
    const std::int64_t damaged = ResultWriter(output(), layout_, dataset_, options()).earlier().damaged;
    ASSERT_GE(damaged, 1) << bytes;
    ASSERT_TRUE(finish() == undisturbed) << bytes;
    ++cuts;
  }
  std::cout << "faults: the segment cut: injected " << cuts << ", survived " << cuts << ", lost 0\n";
}

TEST_F(ResumeTest, AChangedByteAnywhereIsNeverTrusted) {
  const std::string undisturbed = finish();
  cut_off_after({4, 3, 2, 0});
  fs::copy(work(), in_folder("left"));
  for (const char* name : {journal_name, "pleat-segment-0000.bin"}) {
    const std::string whole = content_of(in_folder("left") / name);
    for (std::size_t at = 0; at < whole.size(); at += 53) {
      fs::remove_all(work());
      fs::copy(in_folder("left"), work());
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ 4);
      write_content(work() / name, changed);
      ASSERT_TRUE(finish() == undisturbed) << name << " " << at;
    }
  }
}

TEST_F(ResumeTest, AnotherRunIsRefusedWithWhatDiffers) {
  cut_off_after({4});
  WriterOptions other = options();
  other.identity.same[1].second = "false";
  other.identity.settled = {};
  const Error error = refusal(other);
  EXPECT_EQ(error.code(), ErrorCode::cannot_create);
  EXPECT_THAT(error.what(), HasSubstr("tasks.contacts was 'true' and is 'false'"));
  EXPECT_THAT(error.what(), Not(HasSubstr("inputs")));
  EXPECT_THAT(error.hint(), HasSubstr("--restart"));
  EXPECT_EQ(value_of(find_earlier_run(work())->settled, "longest"), "1000");
  EXPECT_EQ(ResultWriter(output(), layout_, dataset_, options()).earlier().sequences, 1);  // still there
  other.restart = true;
  EXPECT_EQ(ResultWriter(output(), layout_, dataset_, other).earlier().sequences, 0);
  EXPECT_THAT(listing(), IsEmpty());
}

// The cheap identity is the same, and the hash of all bytes is not.
TEST_F(ResumeTest, WhatOtherWeightsHaveComputedIsGivenUp) {
  const std::string undisturbed = finish();
  cut_off_after({4, 1});
  {
    ResultWriter writer(output(), layout_, dataset_, options());
    EXPECT_EQ(writer.earlier().sequences, 2);
    writer.add(result(0));
    const Error error = error_of([&] { writer.set_model("changed"); });
    EXPECT_EQ(error.code(), ErrorCode::retry);
    EXPECT_THAT(error.what(), HasSubstr("model_sha256 was 'model' and is 'changed'"));
    EXPECT_FALSE(writer.is_done(4));
    EXPECT_TRUE(writer.is_done(0));
    EXPECT_EQ(error_of([&] { writer.finish(example_attributes()); }).code(), ErrorCode::internal);
  }
  EXPECT_THAT(find_earlier_rows(work()), ElementsAre(0));
  {
    ResultWriter writer(output(), layout_, dataset_, options());
    EXPECT_EQ(writer.earlier().sequences, 1);
    writer.set_model("changed");
    writer.add(result(1));
  }
  EXPECT_THAT(find_earlier_rows(work()), ElementsAre(0, 1));
}

TEST_F(ResumeTest, ResultsFromBeforeTheHashWasKnownAreKept) {
  const std::string undisturbed = finish();
  {
    ResultWriter writer(output(), layout_, dataset_, options());
    writer.add(result(4));
  }
  EXPECT_EQ(ResultWriter(output(), layout_, dataset_, options()).earlier().sequences, 1);
  EXPECT_TRUE(finish() == undisturbed);
}

TEST_F(ResumeTest, ReplayGivesNotesAndStructures) {
  cut_off_after({2, 3});
  ResultWriter writer(output(), layout_, dataset_, options());
  std::vector<SequenceResult> seen;
  writer.replay(true, [&](const SequenceResult& result) { seen.push_back(result); });
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].error_code, "suspicious");
  EXPECT_THAT(seen[0].message, HasSubstr("with \"bytes\"\n"));
  const StructureResult expected = result(2).structure;
  EXPECT_EQ(seen[0].structure.positions, expected.positions);
  EXPECT_EQ(seen[0].structure.atom_mask, expected.atom_mask);
  EXPECT_EQ(seen[0].structure.plddt, expected.plddt);
  EXPECT_EQ(seen[0].structure.ptm, expected.ptm);
  EXPECT_EQ(seen[0].structure.recycles, expected.recycles);
  EXPECT_TRUE(seen[1].failed);
  EXPECT_EQ(seen[1].error_code, "out_of_memory");
}

TEST_F(ResumeTest, LostDevicesAreRemembered) {
  for (int run = 0; run < 2; ++run) {
    ResultWriter writer(output(), layout_, dataset_, options());
    writer.set_model("model");
    writer.add_loss({1, 4});
  }
  {
    ResultWriter writer(output(), layout_, dataset_, options());
    EXPECT_THAT(writer.earlier().lost, ElementsAre(std::pair(1, 2), std::pair(4, 2)));
    writer.add(result(4));
  }
  EXPECT_THAT(ResultWriter(output(), layout_, dataset_, options()).earlier().lost, ElementsAre(std::pair(1, 2)));
}

// The longest sequence is not in the table of a run that has no memory for it: the rows behind it are others then.
TEST_F(ResumeTest, WhatDoesNotFitIsDecidedAnewByEachRun) {
  const std::string undisturbed = finish();
  const Dataset all = dataset_;
  const Dataset small = dataset_of({6, 3, 4, 7});  // row 2 is missing
  const auto as_row = [&](std::int64_t row, std::int64_t of_all) {
    SequenceResult moved = result(of_all);
    moved.row = row;
    return moved;
  };
  WriterOptions with_little = options();
  with_little.row_keys = {0, 1, 3, 4};
  {
    ResultWriter writer(output(), layout_, small, with_little);
    writer.set_model("model");
    writer.add(as_row(3, 4));
    writer.add(as_row(1, 1));
  }
  EXPECT_THAT(find_earlier_rows(work()), ElementsAre(1, 4));
  {
    const ResultWriter writer(output(), layout_, all, options());
    EXPECT_EQ(writer.earlier().sequences, 2);
    EXPECT_TRUE(writer.is_done(4));
    EXPECT_FALSE(writer.is_done(3));
  }
  EXPECT_TRUE(finish() == undisturbed);
}

TEST_F(ResumeTest, AFailureForLackOfMemoryDoesNotStandWhereThereIsMore) {
  WriterOptions given = options();
  given.longest_tokens = 100;
  {
    ResultWriter writer(output(), layout_, dataset_, given);
    write_rows(writer, {3, 4});
  }
  given.longest_tokens = 1000;
  given.tries_again = [](const SequenceResult& failure, std::int64_t longest) {
    EXPECT_EQ(failure.error_code, "out_of_memory");
    EXPECT_EQ(longest, 100);
    return true;
  };
  {
    ResultWriter writer(output(), layout_, dataset_, given);
    EXPECT_FALSE(writer.is_done(3));
    writer.set_model("model");
    writer.add(result_of(dataset_, layout_, 3));
  }
  // A later run with little memory keeps what that one has computed.
  given.tries_again = {};
  ResultWriter writer(output(), layout_, dataset_, given);
  ASSERT_TRUE(writer.is_done(3));
  writer.replay(false, [](const SequenceResult& seen) { EXPECT_FALSE(seen.failed); });
}

TEST_F(ResumeTest, WhatWasUnderWayAtTheEndIsRemembered) {
  const auto run = [&](const std::vector<std::int64_t>& under_way, const std::vector<std::int64_t>& done) {
    ResultWriter writer(output(), layout_, dataset_, options());
    writer.set_model("model");
    writer.set_under_way(under_way);
    for (const std::int64_t row : done) writer.add(result(row));
    return writer.earlier();
  };
  run({2, 4}, {});
  EXPECT_THAT(listing(), ElementsAre("x.h5.work"));
  EarlierResults earlier = run({2, 0, 1}, {0, 1});
  EXPECT_THAT(earlier.interrupted, ElementsAre(std::pair(2, 1), std::pair(4, 1)));
  EXPECT_TRUE(earlier.last_did_nothing);
  earlier = run({}, {4});
  EXPECT_THAT(earlier.interrupted, ElementsAre(std::pair(2, 2), std::pair(4, 1)));
  EXPECT_FALSE(earlier.last_did_nothing);
  EXPECT_THAT(run({}, {}).interrupted, ElementsAre(std::pair(2, 2)));
}

// Of version 1, where a row was its place in the table.
TEST_F(ResumeTest, AJournalOfAnotherVersionIsRefused) {
  cut_off_after({4});
  std::string journal = content_of(work() / journal_name);
  const std::size_t end = journal.find('\n');
  std::string head = journal.substr(9, end - 9);
  head.replace(head.find(":2,"), 3, ":1,");
  char crc[9];
  std::snprintf(crc, sizeof(crc), "%08x", crc32_of(std::as_bytes(std::span(head))));
  write_content(work() / journal_name, crc + (" " + head) + journal.substr(end));
  EXPECT_EQ(refusal(options()).code(), ErrorCode::cannot_create);
  EXPECT_THAT(refusal(options()).what(), HasSubstr("another version of pleat"));
  WriterOptions restart = options();
  restart.restart = true;
  EXPECT_EQ(ResultWriter(output(), layout_, dataset_, restart).earlier().sequences, 0);
}

TEST_F(ResumeTest, AFinishThatFailedCanBeDoneByALaterRun) {
  const std::string undisturbed = finish();
  {
    ResultWriter writer(output(), layout_, dataset_, options());
    write_rows(writer, {0, 1, 2, 3, 4});
    write_content(output(), "in the way");
    EXPECT_EQ(error_of([&] { writer.finish(example_attributes()); }).code(), ErrorCode::cannot_create);
  }
  fs::remove(output());
  EXPECT_TRUE(finish() == undisturbed);
}

TEST_F(ResumeTest, FilesOfOthersInTheWorkFolderStay) {
  WriterOptions given = options();
  given.work_folder = in_folder("mine");
  fs::create_directory(given.work_folder);
  write_content(given.work_folder / "notes.txt", "x");
  finish(given);
  EXPECT_THAT(listing(), ElementsAre("mine"));
  EXPECT_TRUE(fs::exists(given.work_folder / "notes.txt"));
  EXPECT_EQ(std::distance(fs::directory_iterator(given.work_folder), {}), 1);
}

}  // namespace
}  // namespace pleat
