// From a result file to structure files.
#include "export/structure_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>

#include "export_fixture.h"

namespace pleat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

class StructureFilesTest : public StoreTest {
 protected:
  StructureFilesTest() {
    const auto add = [this](const std::string& id, std::int64_t row) {
      dataset_.records.push_back({id, "", row, RecordStatus::ok, "", ""});
    };
    const auto sequence = [this](const std::string& residues) {
      return dataset_.sequences.append(residues, std::vector<std::uint16_t>(residues.size(), 0));
    };
    add("sp|P1/..", sequence("MKV"));
    add("lost", sequence("AAAA"));  // never computed
    add("twin", sequence("GG"));
    add("TWIN", 2);                    // the same sequence
    add("tab\there", sequence("XX"));  // no atoms
    dataset_.records.push_back({"bad", "", -1, RecordStatus::rejected, "bad_residue", "residue 3 is '7'"});
    write_results(in_folder("x.h5"), folding_layout(DType::float16), dataset_, {3, 0, 2});
  }

  StructureExportSummary exported(StructureExport request) const {
    if (request.output.empty()) request.output = in_folder("out");
    return export_structures(ResultReader(in_folder("x.h5")), request);
  }
  [[nodiscard]] std::vector<std::string> files(const std::string& folder = "out") const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(in_folder(folder))) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  Dataset dataset_;
};

TEST_F(StructureFilesTest, ASignalEndsIt) {
  StopToken token;
  token.request_signal(SIGTERM);
  for (const std::string output : {"out", "out.tar.gz"}) {
    EXPECT_THROW(exported({.ids = {}, .output = in_folder(output), .stop = &token}), Stopped);
  }
  EXPECT_FALSE(std::filesystem::exists(in_folder("out.tar.gz")));
  EXPECT_THAT(files(), IsEmpty());
  EXPECT_EQ(exported({}).files, 3);
}

TEST_F(StructureFilesTest, OneFilePerRecordAndAnIndex) {
  const StructureExportSummary summary = exported({});
  EXPECT_EQ(summary.files, 3);
  EXPECT_EQ(summary.not_computed, 2);
  EXPECT_EQ(summary.cannot_hold, 1);
  ASSERT_EQ(summary.left_out.size(), 3U);
  EXPECT_TRUE(std::ranges::any_of(summary.left_out, [](const LeftOut& record) {
    return record.was_computed && record.reason.starts_with("it has no atoms");
  }));
  EXPECT_FALSE(summary.cif_holds_more);
  EXPECT_THAT(files(), UnorderedElementsAre("sp_P1_._.pdb", "twin.pdb", "TWIN_2.pdb", "index.tsv"));
  EXPECT_THAT(
      lines_of(content_of(summary.index)),
      ElementsAre("file\tid\trecord\tsequence\tlength\tmean_plddt\tptm\tiptm\tstatus\treason",
                  "sp_P1_._.pdb\tsp|P1/..\t0\t0\t3\t50.25\t0.5000\t\tok\t",
                  "\tlost\t1\t1\t4\t\t\t\tfailed\tthe run ended before this sequence was computed",
                  "twin.pdb\ttwin\t2\t2\t2\t52.25\t0.5312\t\tok\t", "TWIN_2.pdb\tTWIN\t3\t2\t2\t52.25\t0.5312\t\tok\t",
                  "\ttab\\there\t4\t3\t2\t53.25\t0.5469\t\tok\tit has no atoms: every residue of it is X",
                  "\tbad\t5\t-1\t0\t\t\t\trejected\tresidue 3 is '7'"));
  EXPECT_THAT(content_of(in_folder("out/twin.pdb")), HasSubstr("RECORD: twin "));
  EXPECT_THAT(content_of(in_folder("out/TWIN_2.pdb")), HasSubstr("RECORD: TWIN "));
}

TEST_F(StructureFilesTest, ARecordKeepsItsNameWhateverElseIsAskedFor) {
  const StructureExportSummary summary = exported({StructureFormat::cif, {"TWIN", "lost"}, {}, false});
  EXPECT_EQ(summary.files, 1);
  EXPECT_EQ(summary.not_computed, 1);
  EXPECT_THAT(files(), UnorderedElementsAre("TWIN_2.cif", "index.tsv"));
  EXPECT_THAT(lines_of(content_of(summary.index)), SizeIs(3));
}

TEST_F(StructureFilesTest, UnknownIdsAreListedBeforeAnythingIsWritten) {
  const Error error = error_of([this] { exported({StructureFormat::pdb, {"twin", "nobody", "nil"}, {}, false}); });
  EXPECT_EQ(error.code(), ErrorCode::bad_input);
  EXPECT_THAT(error.what(), HasSubstr("'nil', 'nobody'"));
  EXPECT_FALSE(std::filesystem::exists(in_folder("out")));
}

TEST_F(StructureFilesTest, WhatIsThereStaysUnlessItMayBeReplaced) {
  std::filesystem::create_directory(in_folder("out"));
  write_content(in_folder("out/notes.txt"), "mine");
  write_content(in_folder("out/TWIN_2.pdb"), "older");
  const Error error = error_of([this] { exported({}); });
  EXPECT_EQ(error.code(), ErrorCode::cannot_create);
  EXPECT_THAT(error.what(), HasSubstr("TWIN_2.pdb"));
  EXPECT_THAT(error.hint(), HasSubstr("--overwrite"));
  EXPECT_THAT(files(), UnorderedElementsAre("notes.txt", "TWIN_2.pdb"));
  EXPECT_EQ(content_of(in_folder("out/TWIN_2.pdb")), "older");
  StructureExport request;
  request.overwrite = true;
  exported(request);
  EXPECT_THAT(content_of(in_folder("out/TWIN_2.pdb")), StartsWith("HEADER"));
  EXPECT_EQ(content_of(in_folder("out/notes.txt")), "mine");
}

TEST_F(StructureFilesTest, AFileWithoutStructuresSaysSo) {
  write_results(in_folder("e.h5"), full_layout(DType::float16), dataset_, {0});
  const Error error = error_of([this] {
    export_structures(ResultReader(in_folder("e.h5")), {StructureFormat::pdb, {}, in_folder("out"), false});
  });
  EXPECT_EQ(error.code(), ErrorCode::usage);
  EXPECT_THAT(error.hint(), HasSubstr("--format fasta"));
  EXPECT_FALSE(std::filesystem::exists(in_folder("out")));
}

TEST_F(StructureFilesTest, OneStructureAsText) {
  const ResultReader results(in_folder("x.h5"));
  EXPECT_THAT(export_structure(results, StructureFormat::pdb, "twin"), HasSubstr("RECORD: twin "));
  EXPECT_THAT(error_of([&] { (void)export_structure(results, StructureFormat::pdb, "lost"); }).what(),
              HasSubstr("'lost' has no structure: the run ended"));
  for (const char* id : {"nobody", "bad", "tab\there"}) {
    EXPECT_EQ(error_of([&] { (void)export_structure(results, StructureFormat::pdb, id); }).code(),
              ErrorCode::bad_input);
  }
}

TEST_F(StructureFilesTest, ArchivesHoldTheSame) {
  for (const char* name : {"a.tar", "a.tar.gz", "a.TGZ"}) {
    StructureExport request;
    request.output = in_folder(name);
    EXPECT_EQ(exported(request).files, 3);
    EXPECT_EQ(exported({StructureFormat::pdb, {}, in_folder(name), true}).index, in_folder(name));
    EXPECT_EQ(error_of([&] { exported(request); }).code(), ErrorCode::cannot_create);
  }
  EXPECT_THAT(content_of(in_folder("a.tar")), HasSubstr("a/TWIN_2.pdb"));
  EXPECT_THAT(content_of(in_folder("a.tar.gz")), StartsWith("\x1f\x8b"));
  EXPECT_LT(std::filesystem::file_size(in_folder("a.TGZ")), std::filesystem::file_size(in_folder("a.tar")));
  EXPECT_THAT(listing(), UnorderedElementsAre("x.h5", "a.tar", "a.tar.gz", "a.TGZ"));
  const std::string first = content_of(in_folder("a.tar.gz"));
  exported({StructureFormat::pdb, {}, in_folder("a.tar.gz"), true});
  EXPECT_TRUE(content_of(in_folder("a.tar.gz")) == first);
}

TEST_F(StructureFilesTest, OnAFullDiskNoFileIsHalfWritten) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  for (const char* output : {"out", "a.tar"}) {
    const rlimit limit{1000, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const Error error = error_of([&] { exported({StructureFormat::pdb, {}, in_folder(output), false}); });
    ::setrlimit(RLIMIT_FSIZE, &before);
    EXPECT_EQ(error.code(), ErrorCode::retry) << output;
    EXPECT_THAT(error.what(), HasSubstr(".partial"));
  }
  EXPECT_THAT(files(), IsEmpty());
  EXPECT_THAT(listing(), UnorderedElementsAre("x.h5", "out"));
}

}  // namespace
}  // namespace pleat
