// A full disk, played by a limit on the size of files: a clear error, nothing half-made, and HDF5 still in one piece.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>

#include "file_size_limit.h"
#include "results/result_reader.h"
#include "store_fixture.h"

namespace pleat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class DiskFullTest : public StoreTest {
 protected:
  DiskFullTest() : dataset_(dataset_of({60, 200, 7, 120})), layout_(full_layout(DType::float32)) {
    for (int i = 0; i < 3000; ++i) dataset_.records.push_back(dataset_.records[static_cast<std::size_t>(i % 4)]);
  }

  std::unique_ptr<ResultWriter> filled_writer(bool overwrite) {
    auto writer = std::make_unique<ResultWriter>(in_folder("x.h5"), layout_, dataset_, WriterOptions{overwrite, {}});
    for (const std::int64_t row : {1, 3, 0, 2}) writer->add(result_of(dataset_, layout_, row));
    return writer;
  }

  Dataset dataset_;
  ResultLayout layout_;
};

TEST_F(DiskFullTest, AnywhereInFinishLeavesTheOldFileAndNothingElse) {
  const std::int64_t size = filled_writer(false)->finish(example_attributes()).file_bytes;
  const std::string whole = content_of(in_folder("x.h5"));
  write_content(in_folder("x.h5"), "old");
  constexpr int steps = 40;
  const auto writer = filled_writer(true);
  for (int i = 0; i < steps; ++i) {
    const std::int64_t limit = i < 20 ? size * i / 20 : size - (std::int64_t{1} << (i - 20)) % size;
    const FileSizeLimit full(static_cast<rlim_t>(limit));
    const Error error = error_of([&] { writer->finish(example_attributes()); });
    EXPECT_EQ(error.code(), ErrorCode::retry) << limit;
    EXPECT_THAT(error.what(), HasSubstr("x.h5.partial")) << limit;
    EXPECT_THAT(error.what(), HasSubstr("File too large")) << limit;
    EXPECT_EQ(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_FILE), 0) << limit;
    EXPECT_THAT(listing(), UnorderedElementsAre("x.h5", "x.h5.work")) << limit;
    EXPECT_EQ(content_of(in_folder("x.h5")), "old") << limit;
  }
  // With room again the same writer finishes.
  writer->finish(example_attributes());
  EXPECT_TRUE(content_of(in_folder("x.h5")) == whole);
}

TEST_F(DiskFullTest, InASegmentNothingIsLost) {
  ResultWriter writer(in_folder("x.h5"), layout_, dataset_, {});
  writer.add(result_of(dataset_, layout_, 0));
  for (const rlim_t limit : {30000, 40000, 100000}) {
    const FileSizeLimit full(limit);
    const Error error = error_of([&] { writer.add(result_of(dataset_, layout_, 1)); });
    EXPECT_EQ(error.code(), ErrorCode::retry);
    EXPECT_THAT(error.what(), HasSubstr("segment-0000.bin"));
  }
  // The row that did not fit can be added again, or the rest written without it.
  writer.add(result_of(dataset_, layout_, 2));
  writer.finish(example_attributes());
  const ResultReader reader(in_folder("x.h5"));
  const std::vector<Record> records = reader.records(0, 4);
  EXPECT_EQ(records[0].status, RecordStatus::ok);
  EXPECT_EQ(records[1].error_code, "not_computed");
  EXPECT_EQ(records[2].status, RecordStatus::ok);
  EXPECT_EQ(reader.floats("/embeddings/layer_00/mean", 2, 1)[3], expected_value(0, 2, 3));
}

TEST_F(DiskFullTest, AtTheVeryStart) {
  const FileSizeLimit full(0);
  const Error error = error_of([&] { ResultWriter(in_folder("x.h5"), layout_, dataset_, {}); });
  EXPECT_EQ(error.code(), ErrorCode::retry);
  EXPECT_TRUE(listing().empty());
}

// HDF5 cleans up when the program ends; a file that it could not write must not take the program down then.
TEST_F(DiskFullTest, TheProgramStillEndsInPeace) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        const auto writer = filled_writer(false);
        const FileSizeLimit full(3000);
        const bool refused = error_of([&] { writer->finish(example_attributes()); }).code() == ErrorCode::retry;
        std::exit(refused ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace pleat
