// How the writer treats what is around the file: folders, older files, other runs, its own segments.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "results/result_reader.h"
#include "store_fixture.h"

namespace pleat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

using ResultWriterTest = StoreTest;

const ResultLayout& layout() {
  static const ResultLayout layout = full_layout(DType::float16);
  return layout;
}

TEST_F(ResultWriterTest, LeavesOnlyTheFile) {
  const Dataset dataset = dataset_of({4, 9});
  write_results(in_folder("x.h5"), layout(), dataset, {1, 0});
  EXPECT_THAT(listing(), ElementsAre("x.h5"));
}

TEST_F(ResultWriterTest, WithoutFinishOnlyTheWorkIsLeft) {
  const Dataset dataset = dataset_of({4, 9});
  {
    ResultWriter writer(in_folder("x.h5"), layout(), dataset, {});
    writer.add(result_of(dataset, layout(), 1));
    EXPECT_THAT(listing(), UnorderedElementsAre("x.h5.work", "x.h5.partial"));
  }
  EXPECT_THAT(listing(), ElementsAre("x.h5.work"));
}

TEST_F(ResultWriterTest, AnExistingFileIsKept) {
  const Dataset dataset = dataset_of({4});
  write_content(in_folder("x.h5"), "precious");
  const Error error = error_of([&] { ResultWriter(in_folder("x.h5"), layout(), dataset, {}); });
  EXPECT_EQ(error.code(), ErrorCode::cannot_create);
  EXPECT_THAT(error.hint(), HasSubstr("--overwrite"));
  EXPECT_EQ(content_of(in_folder("x.h5")), "precious");
  EXPECT_THAT(listing(), ElementsAre("x.h5"));
}

TEST_F(ResultWriterTest, OverwriteReplacesOnlyAtTheEnd) {
  const Dataset dataset = dataset_of({4});
  write_content(in_folder("x.h5"), "old");
  {
    ResultWriter writer(in_folder("x.h5"), layout(), dataset, {true, {}});
    writer.add(result_of(dataset, layout(), 0));
    EXPECT_EQ(content_of(in_folder("x.h5")), "old");
    writer.finish(example_attributes());
  }
  EXPECT_EQ(ResultReader(in_folder("x.h5")).record_count(), 1);
}

TEST_F(ResultWriterTest, AFileMadeDuringTheRunIsKeptAndSoAreTheResults) {
  const Dataset dataset = dataset_of({4});
  {
    ResultWriter writer(in_folder("x.h5"), layout(), dataset, {});
    writer.add(result_of(dataset, layout(), 0));
    write_content(in_folder("x.h5"), "somebody else's");
    const Error error = error_of([&] { writer.finish(example_attributes()); });
    EXPECT_EQ(error.code(), ErrorCode::cannot_create);
    EXPECT_THAT(error.hint(), HasSubstr("x.h5.partial"));
  }
  EXPECT_EQ(content_of(in_folder("x.h5")), "somebody else's");
  EXPECT_EQ(ResultReader(in_folder("x.h5.partial")).record_count(), 1);
}

TEST_F(ResultWriterTest, PlacesThatCannotHoldAFileAreNamed) {
  const Dataset dataset = dataset_of({4});
  write_content(in_folder("file"), "x");
  for (const std::filesystem::path& output :
       {in_folder("missing/x.h5"), in_folder("file/x.h5"), in_folder("file/below/x.h5"), in_folder(""),
        in_folder("file/.."), std::filesystem::path("/proc/pleat-results.h5"), std::filesystem::path("")}) {
    const Error error = error_of([&] { ResultWriter(output, layout(), dataset, {}); });
    EXPECT_EQ(error.code(), ErrorCode::cannot_create) << output;
    EXPECT_THAT(error.what(), HasSubstr(output.string()));
  }
  EXPECT_THAT(listing(), ElementsAre("file"));
}

TEST_F(ResultWriterTest, AWorkFolderThatCannotBeMadeIsNamed) {
  const Dataset dataset = dataset_of({4});
  write_content(in_folder("file"), "x");
  const Error error =
      error_of([&] { ResultWriter(in_folder("x.h5"), layout(), dataset, {false, in_folder("file/w")}); });
  EXPECT_EQ(error.code(), ErrorCode::cannot_create);
  EXPECT_THAT(error.what(), HasSubstr("file/w"));
  EXPECT_THAT(listing(), ElementsAre("file"));
}

TEST_F(ResultWriterTest, TwoRunsCannotShareAWorkFolder) {
  const Dataset dataset = dataset_of({4});
  {
    ResultWriter first(in_folder("x.h5"), layout(), dataset, {});
    const Error error = error_of([&] { ResultWriter(in_folder("x.h5"), layout(), dataset, {}); });
    EXPECT_EQ(error.code(), ErrorCode::cannot_create);
    EXPECT_THAT(error.what(), HasSubstr("in use by process " + std::to_string(::getpid())));
    first.add(result_of(dataset, layout(), 0));  // the first one goes on unharmed
    first.finish(example_attributes());
  }
  EXPECT_EQ(ResultReader(in_folder("x.h5")).record_count(), 1);
}

TEST_F(ResultWriterTest, TwoRunsWithTheirOwnWorkFoldersCannotWriteOneOutput) {
  const Dataset dataset = dataset_of({4});
  ResultWriter first(in_folder("x.h5"), layout(), dataset, {false, in_folder("work")});
  const Error error =
      error_of([&] { ResultWriter(in_folder("x.h5"), layout(), dataset, {false, in_folder("other")}); });
  EXPECT_EQ(error.code(), ErrorCode::cannot_create);
  EXPECT_THAT(error.what(), HasSubstr("x.h5.partial"));
  EXPECT_THAT(listing(), UnorderedElementsAre("work", "x.h5.partial"));
  first.add(result_of(dataset, layout(), 0));
  first.finish(example_attributes());
  EXPECT_EQ(ResultReader(in_folder("x.h5")).record_count(), 1);
}

TEST_F(ResultWriterTest, WhatADeadRunLeftIsReplacedAndOtherFilesStay) {
  const Dataset dataset = dataset_of({4});
  std::filesystem::create_directory(in_folder("work"));
  write_content(in_folder("work/pleat.lock"), "process 1 on elsewhere");
  write_content(in_folder("work/pleat-segment-0007.bin"), "stale");
  write_content(in_folder("work/notes.txt"), "mine");
  write_content(in_folder("work/lock"), "mine");
  write_content(in_folder("work/segment-0007.bin"), "mine");
  write_content(in_folder("x.h5.partial"), "stale");
  write_results(in_folder("x.h5"), layout(), dataset, {0}, {false, in_folder("work")});
  EXPECT_THAT(listing(), UnorderedElementsAre("x.h5", "work"));
  EXPECT_FALSE(std::filesystem::exists(in_folder("work/pleat-segment-0007.bin")));
  EXPECT_FALSE(std::filesystem::exists(in_folder("work/pleat.lock")));
  for (const char* name : {"work/notes.txt", "work/lock", "work/segment-0007.bin"}) {
    EXPECT_EQ(content_of(in_folder(name)), "mine") << name;
  }
}

TEST_F(ResultWriterTest, ADamagedSegmentIsFoundOut) {
  const Dataset dataset = dataset_of({4, 30});
  const auto segment = in_folder("x.h5.work/pleat-segment-0000.bin");
  const SequenceResult first = result_of(dataset, layout(), 0);
  std::size_t size = 0;
  {
    ResultWriter writer(in_folder("x.h5"), layout(), dataset, {});
    writer.add(first);
    size = content_of(segment).size();
  }
  // In a head, in the data, in the last byte; and cut off.
  for (const std::size_t place : {std::size_t{0}, std::size_t{9}, std::size_t{30}, size / 2, size - 1, size}) {
    ResultWriter writer(in_folder("x.h5"), layout(), dataset, {.restart = true});
    writer.add(first);
    std::string content = content_of(segment);
    if (place < size) content[place] = static_cast<char>(content[place] ^ 0x10);
    if (place == size) content.resize(size - 1);
    write_content(segment, content);
    const Error error = error_of([&] { writer.finish(example_attributes()); });
    EXPECT_EQ(error.code(), ErrorCode::io) << place;
    EXPECT_THAT(error.what(), HasSubstr("segment-0000.bin")) << place;
    EXPECT_THAT(listing(), ElementsAre("x.h5.work")) << place;
  }
}

TEST_F(ResultWriterTest, ResultsThatDoNotFitAreABug) {
  const Dataset dataset = dataset_of({4, 9});
  ResultWriter writer(in_folder("x.h5"), layout(), dataset, {});
  const auto code_of = [&](const SequenceResult& result) { return error_of([&] { writer.add(result); }).code(); };
  SequenceResult result = result_of(dataset, layout(), 0);
  result.row = 1;  // the bytes of another length
  EXPECT_EQ(code_of(result), ErrorCode::internal);
  result.row = 2;
  EXPECT_EQ(code_of(result), ErrorCode::internal);
  result.row = -1;
  EXPECT_EQ(code_of(result), ErrorCode::internal);
  result = result_of(dataset, layout(), 0);
  result.layers.pop_back();
  EXPECT_EQ(code_of(result), ErrorCode::internal);
  writer.add(result_of(dataset, layout(), 0));
  EXPECT_EQ(code_of(result_of(dataset, layout(), 0)), ErrorCode::internal);
}

TEST_F(ResultWriterTest, LayoutsThatCannotBeStoredAreABug) {
  const Dataset dataset = dataset_of({4});
  ResultLayout bfloat = layout();
  bfloat.dtype = DType::bfloat16;
  ResultLayout no_width = layout();
  no_width.width = 0;
  ResultLayout no_letters = layout();
  no_letters.alphabet.clear();
  for (const ResultLayout& bad : {bfloat, no_width, no_letters}) {
    EXPECT_EQ(error_of([&] { ResultWriter(in_folder("x.h5"), bad, dataset, {}); }).code(), ErrorCode::internal);
  }
  EXPECT_THAT(listing(), IsEmpty());
}

}  // namespace
}  // namespace pleat
