// Structure files written during a run.
#include "export/structure_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <optional>

#include "export_fixture.h"

namespace pleat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

using Options = StructureFolder::Options;

class StructureFolderTest : public StoreTest {
 protected:
  StructureFolderTest() : folder_(in_folder("x.structures")), layout_(folding_layout(DType::float16)) {
    dataset_ = dataset_of({3, 5, 2});
    dataset_.records.push_back(dataset_.records[0]);  // "p0" again
    dataset_.records.push_back({"bad", "", -1, RecordStatus::rejected, "bad_residue", "residue 3 is '7'"});
  }

  [[nodiscard]] std::unique_ptr<StructureFolder> opened(std::vector<StructureFormat> formats = {StructureFormat::pdb},
                                                        bool overwrite = false) const {
    return std::make_unique<StructureFolder>(folder_, dataset_, example_origin(),
                                             Options{std::move(formats), DType::float16, overwrite});
  }
  [[nodiscard]] SequenceResult result(std::int64_t row) const { return result_of(dataset_, layout_, row); }
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) names.push_back(entry.path().filename());
    return names;
  }
  [[nodiscard]] ErrorCode refusal(bool overwrite) const {
    return error_of([&] { (void)opened({StructureFormat::pdb}, overwrite); }).code();
  }

  std::filesystem::path folder_;
  ResultLayout layout_;
  Dataset dataset_;
};

TEST_F(StructureFolderTest, AppearsWholeAtTheEnd) {
  {
    const auto folder = opened();
    EXPECT_EQ(folder->add(result(2)), "");
    EXPECT_EQ(folder->add(result(0)), "");
    SequenceResult failed;
    failed.row = 1;
    failed.failed = true;
    failed.message = "the model gave NaN";
    EXPECT_EQ(folder->add(failed), "");
    EXPECT_THAT(listing(), ElementsAre("x.structures.partial"));
    const StructureFolder::Summary summary = folder->commit();
    EXPECT_EQ(summary.files, 3);
    EXPECT_EQ(summary.without_file, 2);
    EXPECT_EQ(folder->commit().files, 3);  // once is enough
  }
  EXPECT_THAT(listing(), ElementsAre("x.structures"));
  EXPECT_THAT(files(), UnorderedElementsAre("p0.pdb", "p0_2.pdb", "p2.pdb", "index.tsv"));
  EXPECT_THAT(
      lines_of(content_of(folder_ / "index.tsv")),
      ElementsAre(StartsWith("file\t"), "p0.pdb\tp0\t0\t0\t3\t50.25\t0.5000\t\tok\t",
                  "\tp1\t1\t1\t5\t\t\t\tfailed\tthe model gave NaN", "p2.pdb\tp2\t2\t2\t2\t52.25\t0.5312\t\tok\t",
                  "p0_2.pdb\tp0\t3\t0\t3\t50.25\t0.5000\t\tok\t", "\tbad\t4\t-1\t0\t\t\t\trejected\tresidue 3 is '7'"));
  EXPECT_THAT(content_of(folder_ / "p0.pdb"), HasSubstr("RECORD: p0 "));
}

TEST_F(StructureFolderTest, WithoutCommitNothingIsLeft) {
  {
    const auto folder = opened();
    folder->add(result(0));
  }
  EXPECT_THAT(listing(), IsEmpty());
}

TEST_F(StructureFolderTest, SequencesNeverAddedAreListed) {
  opened()->commit();
  EXPECT_THAT(files(), ElementsAre("index.tsv"));
  EXPECT_THAT(content_of(folder_ / "index.tsv"), HasSubstr("\tp1\t1\t1\t5\t\t\t\tfailed\tthe run ended before"));
}

TEST_F(StructureFolderTest, BothFormatsSideBySide) {
  const auto folder = opened({StructureFormat::pdb, StructureFormat::cif});
  SequenceResult far = result(0);
  far.structure.positions[0] = 20000;
  EXPECT_THAT(folder->add(far), HasSubstr("no .pdb file: it reaches beyond"));
  EXPECT_EQ(folder->add(result(1)), "");
  const StructureFolder::Summary summary = folder->commit();
  EXPECT_EQ(summary.files, 4);
  EXPECT_EQ(summary.without_file, 4);
  EXPECT_THAT(files(), UnorderedElementsAre("p0.cif", "p0_2.cif", "p1.pdb", "p1.cif", "index.tsv"));
  const std::vector<std::string> lines = lines_of(content_of(folder_ / "index.tsv"));
  ASSERT_THAT(lines, SizeIs(1 + 2 + 2 + 1 + 2 + 1));
  EXPECT_THAT(lines[1], StartsWith("\tp0\t0\t0\t3\t50.25\t0.5000\t\tok\tit reaches beyond"));
  EXPECT_EQ(lines[2], "p0.cif\tp0\t0\t0\t3\t50.25\t0.5000\t\tok\t");
}

TEST_F(StructureFolderTest, FilesAreThoseOfALaterExport) {
  const auto folder = opened();
  folder->add(result(1));
  folder->commit();
  const Structure same = example_structure("ACDEF", "p1");
  EXPECT_EQ(lines_of(content_of(folder_ / "p1.pdb"), "ATOM"), lines_of(pdb_text(same, example_origin()), "ATOM"));
}

TEST_F(StructureFolderTest, AnOlderFolderIsReplacedOnlyAtTheEndAndOnlyIfAsked) {
  {
    const auto folder = opened();
    folder->add(result(0));
    folder->commit();
  }
  EXPECT_EQ(refusal(false), ErrorCode::cannot_create);
  {
    const auto folder = opened({StructureFormat::cif}, true);
    folder->add(result(2));
    EXPECT_TRUE(std::filesystem::exists(folder_ / "p0.pdb"));
    folder->commit();
  }
  EXPECT_THAT(listing(), ElementsAre("x.structures"));
  EXPECT_THAT(files(), UnorderedElementsAre("p2.cif", "index.tsv"));
}

TEST_F(StructureFolderTest, FilesOfOthersAreNeverRemoved) {
  std::filesystem::create_directory(folder_);
  write_content(folder_ / "notes.txt", "mine");
  EXPECT_EQ(refusal(true), ErrorCode::cannot_create);
  std::filesystem::rename(folder_, in_folder("x.structures.partial"));
  EXPECT_EQ(refusal(true), ErrorCode::cannot_create);
  EXPECT_EQ(content_of(in_folder("x.structures.partial/notes.txt")), "mine");
  std::filesystem::remove_all(in_folder("x.structures.partial"));
  write_content(folder_, "a file");
  EXPECT_EQ(refusal(true), ErrorCode::cannot_create);
  EXPECT_EQ(content_of(folder_), "a file");
}

TEST_F(StructureFolderTest, AFolderMadeDuringTheRunIsKept) {
  const auto folder = opened();
  folder->add(result(0));
  std::filesystem::create_directory(folder_);
  write_content(folder_ / "index.tsv", "somebody else's");
  const Error error = error_of([&] { folder->commit(); });
  EXPECT_EQ(error.code(), ErrorCode::cannot_create);
  EXPECT_EQ(content_of(folder_ / "index.tsv"), "somebody else's");
  std::filesystem::remove_all(folder_);
  EXPECT_EQ(folder->commit().files, 2);
}

TEST_F(StructureFolderTest, WhatADeadRunLeftIsReplaced) {
  std::filesystem::create_directory(in_folder("x.structures.partial"));
  write_content(in_folder("x.structures.partial/old.pdb"), "stale");
  const auto folder = opened();
  folder->add(result(0));
  folder->commit();
  EXPECT_THAT(files(), UnorderedElementsAre("p0.pdb", "p0_2.pdb", "index.tsv"));
}

TEST_F(StructureFolderTest, TwoRunsCannotWriteOneFolder) {
  const auto first = opened();
  EXPECT_THAT(error_of([this] { (void)opened(); }).what(), HasSubstr("another run"));
  first->add(result(0));
  EXPECT_EQ(first->commit().files, 2);
}

TEST_F(StructureFolderTest, PlacesThatCannotHoldAFolderAreNamed) {
  folder_ = in_folder("missing/x.structures");
  EXPECT_EQ(refusal(false), ErrorCode::cannot_create);
  folder_ = "/proc/x.structures";
  EXPECT_EQ(refusal(false), ErrorCode::cannot_create);
}

TEST_F(StructureFolderTest, AFullDiskIsWorthRetrying) {
  const auto folder = opened();
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit limit{1000, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  const Error error = error_of([&] { folder->add(result(0)); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(error.code(), ErrorCode::retry);
  EXPECT_THAT(std::filesystem::directory_iterator(in_folder("x.structures.partial")),
              std::filesystem::directory_iterator());
  EXPECT_EQ(folder->add(result(0)), "");
  EXPECT_EQ(folder->commit().files, 2);
}

TEST(StructureFolderNameTest, StandsBesideTheOutput) {
  EXPECT_EQ(structure_folder_of("a/results.h5"), "a/results.structures");
  EXPECT_EQ(structure_folder_of("results"), "results.structures");
  EXPECT_EQ(structure_folder_of("v1.2/x.y.h5"), "v1.2/x.y.structures");
}

}  // namespace
}  // namespace pleat
