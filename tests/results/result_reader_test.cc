// Files that are not what they should be.
#include "results/result_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>

#include "format/schema.h"
#include "store_fixture.h"

namespace pleat {
namespace {

using ::testing::HasSubstr;

class ResultReaderTest : public StoreTest {
 protected:
  ResultReaderTest() : file_(in_folder("x.h5")) {
    const Dataset dataset = dataset_of({5, 300, 2});
    write_results(file_, full_layout(DType::float16), dataset, {0, 1, 2});
  }

  Error open_error() const {
    return error_of([this] { const ResultReader reader(file_); });
  }
  void set_version(std::int32_t version) const {
    const hid_t id = H5Fopen(file_.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t attribute = H5Aopen(id, schema::attr_schema_version, H5P_DEFAULT);
    H5Awrite(attribute, H5T_NATIVE_INT32, &version);
    H5Aclose(attribute);
    H5Fclose(id);
  }

  std::filesystem::path file_;
};

TEST_F(ResultReaderTest, MissingFilesAndFolders) {
  for (const auto& path : {in_folder("none.h5"), in_folder("")}) {
    const Error error = error_of([&] { const ResultReader reader(path); });
    EXPECT_EQ(error.code(), ErrorCode::missing_input);
    EXPECT_THAT(error.what(), HasSubstr(path.string()));
  }
}

TEST_F(ResultReaderTest, FilesThatAreNotHdf5) {
  for (const std::string& content : {std::string(), std::string(">p\nACD\n"), std::string(5000, '\0')}) {
    write_content(file_, content);
    EXPECT_EQ(open_error().code(), ErrorCode::bad_input);
    EXPECT_THAT(open_error().what(), HasSubstr("is not an HDF5 file"));
  }
}

TEST_F(ResultReaderTest, Hdf5FilesOfOthers) {
  H5Fclose(H5Fcreate(file_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  EXPECT_EQ(open_error().code(), ErrorCode::bad_input);
  EXPECT_THAT(open_error().what(), HasSubstr("not one that pleat wrote"));
}

TEST_F(ResultReaderTest, NewerVersionsOfTheFormat) {
  set_version(2);
  EXPECT_EQ(open_error().code(), ErrorCode::bad_input);
  EXPECT_THAT(open_error().what(), HasSubstr("version 2"));
  EXPECT_THAT(open_error().hint(), HasSubstr("newer pleat"));
  set_version(0);
  EXPECT_EQ(open_error().code(), ErrorCode::bad_input);
}

TEST_F(ResultReaderTest, TruncatedFiles) {
  const std::string whole = content_of(file_);
  for (const std::size_t size : {whole.size() - 1, whole.size() / 2, std::size_t{600}, std::size_t{90}}) {
    write_content(file_, whole.substr(0, size));
    EXPECT_EQ(open_error().code(), ErrorCode::bad_input) << size;
  }
}

TEST_F(ResultReaderTest, MissingDatasets) {
  const hid_t id = H5Fopen(file_.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  H5Ldelete(id, schema::sequence_offsets, H5P_DEFAULT);
  H5Fclose(id);
  EXPECT_EQ(open_error().code(), ErrorCode::bad_input);
  EXPECT_THAT(open_error().what(), HasSubstr(schema::sequence_offsets));
}

TEST_F(ResultReaderTest, ADamagedChunkIsFoundOut) {
  const char* const path = "/embeddings/layer_06/per_residue";
  haddr_t address = 0;
  {
    const hid_t id = H5Fopen(file_.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t set = H5Dopen2(id, path, H5P_DEFAULT);
    unsigned mask = 0;
    hsize_t size = 0;
    const std::array<hsize_t, 2> origin{0, 0};
    ASSERT_GE(H5Dget_chunk_info_by_coord(set, origin.data(), &mask, &address, &size), 0);
    H5Dclose(set);
    H5Fclose(id);
  }
  std::string content = content_of(file_);
  content[address + 100] = static_cast<char>(content[address + 100] ^ 1);
  write_content(file_, content);
  const ResultReader reader(file_);
  const Error error = error_of([&] { (void)reader.floats(path, 0, 1); });
  EXPECT_EQ(error.code(), ErrorCode::bad_input);
  EXPECT_THAT(error.what(), HasSubstr(path));
}

TEST_F(ResultReaderTest, RowsThatAreNotThere) {
  const ResultReader reader(file_);
  EXPECT_EQ(error_of([&] { (void)reader.sequence(3); }).code(), ErrorCode::bad_input);
  EXPECT_EQ(error_of([&] { (void)reader.sequence(-1); }).code(), ErrorCode::bad_input);
  EXPECT_EQ(error_of([&] { (void)reader.records(2, 2); }).code(), ErrorCode::bad_input);
  EXPECT_EQ(error_of([&] { (void)reader.floats("/embeddings/layer_00/mean", 3, 1); }).code(), ErrorCode::bad_input);
  EXPECT_EQ(error_of([&] { (void)reader.floats("/none", 0, 1); }).code(), ErrorCode::bad_input);
  EXPECT_TRUE(reader.records(3, 0).empty());
}

TEST_F(ResultReaderTest, InputsAreReadAsTheyWereWritten) {
  EXPECT_TRUE(ResultReader(file_).inputs().empty());
  Dataset dataset = dataset_of({3});
  InputReport report{"/data/a.fasta", 12, "ab12", 3, "fasta, gzip", input_problem::cut_off, "it ends early"};
  dataset.inputs = {report, {}};
  dataset.inputs[1].path = "M\xFCller";
  write_results(in_folder("i.h5"), full_layout(DType::float16), dataset, {0});
  const std::vector<InputReport> found = ResultReader(in_folder("i.h5")).inputs();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].path, report.path);
  EXPECT_EQ(found[0].bytes, 12);
  EXPECT_EQ(found[0].sha256, report.sha256);
  EXPECT_EQ(found[0].records, 3);
  EXPECT_EQ(found[0].format, report.format);
  EXPECT_TRUE(found[0].is_bad());
  EXPECT_EQ(found[0].message, report.message);
  EXPECT_EQ(found[1].path, "M\xEF\xBF\xBDller");
}

TEST_F(ResultReaderTest, DatasetsAreListedWithTheirShapes) {
  for (const DataSetInfo& info : ResultReader(file_).datasets()) {
    if (info.path != "/embeddings/layer_06/per_residue") continue;
    EXPECT_EQ(info.shape, (std::vector<std::int64_t>{307, 8}));
    EXPECT_EQ(info.type, "float16");
    EXPECT_EQ(info.raw_bytes, 307 * 8 * 2);
    EXPECT_GT(info.stored_bytes, 0);
    return;
  }
  ADD_FAILURE() << "the dataset is not listed";
}

}  // namespace
}  // namespace pleat
