#include "export/vectors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "core/sha256.h"
#include "export/vector_files.h"
#include "results/store_fixture.h"

namespace pleat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// p0 ACD, p1 ACDEF (never computed), again ACD, bad (refused). Layers 0 and 6, D = 8.
class VectorsTest : public StoreTest {
 protected:
  explicit VectorsTest(DType dtype = DType::float16) {
    Dataset dataset = dataset_of({3, 5});
    dataset.records.push_back(dataset.records[0]);
    dataset.records.back().id = "again";
    dataset.records.push_back({"bad", "", -1, RecordStatus::rejected, "bad_residue", "residue 3 is '7'"});
    write_results(in_folder("x.h5"), full_layout(dtype), dataset, {0});
  }
  [[nodiscard]] ResultReader results() const { return ResultReader(in_folder("x.h5")); }
};

std::vector<float> values_of(const VectorSource& source, const VectorItem& item) {
  std::vector<float> all;
  source.read(
      item, [&](std::int64_t, std::span<const float> values) { all.insert(all.end(), values.begin(), values.end()); });
  return all;
}

TEST_F(VectorsTest, AreThoseOfRecordsThatAreOk) {
  const ResultReader file = results();
  const VectorSource source(file, {});
  ASSERT_EQ(source.items().size(), 2U);
  EXPECT_EQ(source.items()[0].key, "p0");
  EXPECT_EQ(source.items()[1].key, "again");
  EXPECT_EQ(source.width(), 8);
  EXPECT_EQ(source.rows(), 2);
  EXPECT_EQ(source.dtype(), DType::float16);
  ASSERT_EQ(source.left_out().size(), 2U);
  EXPECT_EQ(source.left_out()[0].id, "p1");
  EXPECT_THAT(source.left_out()[1].reason, HasSubstr("residue 3"));
  std::vector<float> expected;
  for (std::int64_t i = 0; i < 8; ++i) expected.push_back(expected_value(10, 0, i));
  EXPECT_EQ(values_of(source, source.items()[1]), expected);  // of the deepest layer
}

TEST_F(VectorsTest, OfResiduesHaveARowForEach) {
  const ResultReader file = results();
  const VectorSource source(file, {.kind = VectorKind::per_residue, .layer = 0, .ids = {"again"}});
  ASSERT_EQ(source.items().size(), 1U);
  EXPECT_EQ(source.items()[0].rows, 3);
  const std::vector<float> values = values_of(source, source.items()[0]);
  ASSERT_EQ(values.size(), 24U);
  EXPECT_EQ(values[23], expected_value(2, 0, 23));
}

TEST_F(VectorsTest, BySha256ComeOnceForEachSequence) {
  const ResultReader file = results();
  const VectorSource source(file, {.key = VectorKey::sha256});
  ASSERT_EQ(source.items().size(), 1U);
  EXPECT_EQ(source.items()[0].key, sha256_of("ACD"));
  EXPECT_EQ(source.items()[0].id, "p0");
}

TEST_F(VectorsTest, ASignalEndsEveryFormatAndLeavesNoFile) {
  const ResultReader file = results();
  StopToken token;
  token.request_signal(SIGTERM);
  const VectorSource source(file, {.stop = &token});
  EXPECT_THROW(write_vectors_h5(source, in_folder("out.h5"), false), Stopped);
  EXPECT_THROW(write_vectors_skbio(source, in_folder("out.skbio"), false), Stopped);
  EXPECT_THROW(write_vectors_npz(source, in_folder("out.npz"), false), Stopped);
  EXPECT_THROW(write_vectors_npy(source, in_folder("out"), false), Stopped);
  EXPECT_THROW(write_vectors_csv(source, [](std::string_view) {}), Stopped);
  for (const char* const name : {"out.h5", "out.skbio", "out.npz", "out/embeddings.npy"}) {
    EXPECT_FALSE(std::filesystem::exists(in_folder(name))) << name;
  }
}

TEST_F(VectorsTest, ThatAreNotThereAreAskedForInVain) {
  const ResultReader file = results();
  const Error layer = error_of([&] { (void)VectorSource(file, {.layer = 3}); });
  EXPECT_EQ(layer.code(), ErrorCode::usage);
  EXPECT_THAT(layer.hint(), HasSubstr("0, 6"));
  EXPECT_EQ(error_of([&] { (void)VectorSource(file, {.ids = {"nobody"}}); }).code(), ErrorCode::bad_input);
}

TEST(VectorNamesTest, AreNamesInHdf5AndNoTwoAlike) {
  VectorNames names;
  std::vector<std::string> made;
  for (const char* key : {"sp|P1|A", "a/b", "a_b", "a/b", ".", "A_B"}) made.push_back(names.next(key));
  EXPECT_THAT(made, ElementsAre("sp|P1|A", "a_b", "a_b_2", "a_b_3", "_", "A_B"));
}

}  // namespace
}  // namespace pleat
