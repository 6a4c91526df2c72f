// What is in a finished file, read back with the HDF5 library.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "format/record_parts.h"
#include "format/schema.h"
#include "results/result_reader.h"
#include "store_fixture.h"

namespace pleat {
namespace {

using ::testing::ElementsAre;

using ResultFileTest = StoreTest;

std::vector<std::int64_t> all_rows(const Dataset& dataset) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(dataset.sequences.size()));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

// The dataset of part number `part` holds what result_of() made, or NaN for the sequences in `absent`.
void expect_part(const ResultReader& reader, const Dataset& dataset, const std::string& path, int part, Extent extent,
                 std::int64_t columns, const std::vector<std::int64_t>& absent = {}) {
  std::int64_t first = 0;
  for (std::int64_t row = 0; row < dataset.sequences.size(); ++row) {
    const std::int64_t count = rows_of(extent, dataset.sequences.length(row));
    const std::vector<float> values = reader.floats(path, first, count);
    const bool is_absent = std::ranges::find(absent, row) != absent.end();
    ASSERT_EQ(std::ssize(values), count * columns) << path;
    for (std::int64_t i = 0; i < count * columns; ++i) {
      const float value = values[static_cast<std::size_t>(i)];
      if (is_absent) {
        ASSERT_TRUE(std::isnan(value)) << path << " sequence " << row << " element " << i;
      } else {
        ASSERT_EQ(value, expected_value(part, row, i)) << path << " sequence " << row << " element " << i;
      }
    }
    first += count;
  }
}

void expect_all_parts(const std::filesystem::path& file, const Dataset& dataset,
                      const std::vector<std::int64_t>& absent = {}) {
  const ResultReader reader(file);
  for (int k = 0; k < 2; ++k) {
    const std::string layer = k == 0 ? "/embeddings/layer_00/" : "/embeddings/layer_06/";
    expect_part(reader, dataset, layer + "mean", 10 * k, Extent::sequence, 8, absent);
    expect_part(reader, dataset, layer + "bos", 10 * k + 1, Extent::sequence, 8, absent);
    expect_part(reader, dataset, layer + "per_residue", 10 * k + 2, Extent::residue, 8, absent);
  }
  expect_part(reader, dataset, schema::logits, 100, Extent::residue, 3, absent);
  expect_part(reader, dataset, schema::contact_values, 101, Extent::pair, 1, absent);
}

TEST_F(ResultFileTest, ResultsInAnyOrderAreInTheOrderOfTheSequences) {
  const Dataset dataset = dataset_of({5, 1, 40, 17, 2});
  for (const DType dtype : {DType::float16, DType::float32}) {
    const auto file = in_folder(std::string(name_of(dtype)) + ".h5");
    write_results(file, full_layout(dtype), dataset, {2, 3, 0, 4, 1});
    expect_all_parts(file, dataset);
    for (const DataSetInfo& info : ResultReader(file).datasets()) {
      if (!info.path.starts_with("/embeddings")) continue;
      EXPECT_EQ(info.type, name_of(dtype)) << info.path;
    }
  }
}

TEST_F(ResultFileTest, SizesAroundAChunkAreWhole) {
  ResultLayout layout;
  layout.layers = {3};
  layout.per_residue = true;
  layout.width = 64;
  layout.depth = 120;
  layout.dtype = DType::float32;
  const std::int64_t rows = schema::chunk_bytes / (64 * 4);
  for (const std::int64_t residues : {rows - 1, rows, rows + 1, 2 * rows, 3 * rows + 5}) {
    const Dataset dataset = dataset_of({1, residues - 3, 2});
    const auto file = in_folder(std::to_string(residues) + ".h5");
    write_results(file, layout, dataset, {1, 2, 0});
    const ResultReader reader(file);
    EXPECT_EQ(reader.residue_count(), residues);
    expect_part(reader, dataset, "/embeddings/layer_003/per_residue", 2, Extent::residue, 64);
  }
}

TEST_F(ResultFileTest, OneResidueIsEnough) {
  const Dataset dataset = dataset_of({1});
  write_results(in_folder("x.h5"), full_layout(DType::float16), dataset, {0});
  expect_all_parts(in_folder("x.h5"), dataset);
}

TEST_F(ResultFileTest, FailedAndForgottenSequencesHoldNan) {
  Dataset dataset = dataset_of({5, 3, 4, 2});
  dataset.records[3].status = RecordStatus::skipped;
  dataset.records[3].error_code = "out_of_time";
  const ResultLayout layout = full_layout(DType::float16);
  {
    ResultWriter writer(in_folder("x.h5"), layout, dataset, {});
    writer.add(result_of(dataset, layout, 2));
    SequenceResult failed;
    failed.row = 0;
    failed.failed = true;
    failed.error_code = "not_finite";
    failed.message = "the model gave NaN";
    failed.attempts = 2;
    failed.device = "cpu:0";
    writer.add(failed);
    writer.finish(example_attributes());
  }
  expect_all_parts(in_folder("x.h5"), dataset, {0, 1, 3});
  const ResultReader reader(in_folder("x.h5"));
  const std::vector<Record> records = reader.records(0, 4);
  EXPECT_EQ(records[0].status, RecordStatus::failed);
  EXPECT_EQ(records[0].error_code, "not_finite");
  EXPECT_EQ(records[0].message, "the model gave NaN");
  EXPECT_EQ(records[1].status, RecordStatus::failed);
  EXPECT_EQ(records[1].error_code, "not_computed");
  EXPECT_NE(records[1].message, "");
  EXPECT_EQ(records[2].status, RecordStatus::ok);
  EXPECT_EQ(records[3].status, RecordStatus::skipped);
  EXPECT_EQ(records[3].error_code, "out_of_time");
  EXPECT_EQ(reader.count_by_status().failed, 2);
}

TEST_F(ResultFileTest, RecordsOfOneSequenceShareItsOutcome) {
  Dataset dataset = dataset_of({5, 3});
  dataset.records.push_back(dataset.records[0]);  // the same id and sequence again
  dataset.records.push_back({"bad", "with a digit", -1, RecordStatus::rejected, "bad_residue", "residue 3 is '7'"});
  dataset.records[1].error_code = "residues_changed";
  dataset.records[1].message = "1 letter became X";
  const ResultLayout layout = full_layout(DType::float32);
  write_results(in_folder("x.h5"), layout, dataset, {1, 0});
  const ResultReader reader(in_folder("x.h5"));
  const std::vector<Record> records = reader.records(0, 4);
  EXPECT_EQ(records[2].id, "p0");
  EXPECT_EQ(records[2].sequence, 0);
  EXPECT_EQ(records[3].sequence, -1);
  EXPECT_EQ(records[3].status, RecordStatus::rejected);
  EXPECT_EQ(records[3].description, "with a digit");
  EXPECT_EQ(records[1].status, RecordStatus::ok);
  EXPECT_EQ(records[1].message, "1 letter became X");
  const std::vector<float> seconds = reader.floats(schema::record_seconds, 0, 4);
  EXPECT_EQ(seconds[0], 0.5F);
  EXPECT_EQ(seconds[1], 1.5F);
  EXPECT_EQ(seconds[2], 0.5F);
  EXPECT_TRUE(std::isnan(seconds[3]));
  EXPECT_THAT(reader.floats(schema::record_attempts, 0, 4), ElementsAre(1, 1, 1, 0));
}

TEST_F(ResultFileTest, AllRecordsRefusedIsAFileToo) {
  Dataset dataset;
  dataset.records.push_back({"a", "", -1, RecordStatus::rejected, "bad_residue", "no"});
  dataset.records.push_back({"b", "", -1, RecordStatus::rejected, "empty", "no residues"});
  write_results(in_folder("x.h5"), full_layout(DType::float16), dataset, {});
  const ResultReader reader(in_folder("x.h5"));
  EXPECT_EQ(reader.sequence_count(), 0);
  EXPECT_EQ(reader.count_by_status().rejected, 2);
  std::vector<std::string> empty;
  for (const DataSetInfo& info : reader.datasets()) {
    if (info.shape[0] == 0) empty.push_back(info.path);
  }
  EXPECT_THAT(empty,
              ElementsAre("/contacts/values", "/embeddings/layer_00/bos", "/embeddings/layer_00/mean",
                          "/embeddings/layer_00/per_residue", "/embeddings/layer_06/bos", "/embeddings/layer_06/mean",
                          "/embeddings/layer_06/per_residue", "/logits", "/sequences/chain", "/sequences/residues"));
}

TEST_F(ResultFileTest, StrangeNamesSurvive) {
  Dataset dataset = dataset_of({2, 2, 2});
  dataset.records[0].id = "sp|P12345/../../x";
  dataset.records[1].id = std::string(10000, 'n');
  dataset.records[2].id = "Insulin-Ä-\xe8\x9b\x8b";
  dataset.records[2].description = "tab\tand \"quotes\"";
  write_results(in_folder("x.h5"), full_layout(DType::float16), dataset, all_rows(dataset));
  const std::vector<Record> records = ResultReader(in_folder("x.h5")).records(0, 3);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(records[i].id, dataset.records[i].id);
    EXPECT_EQ(records[i].description, dataset.records[i].description);
  }
}

TEST_F(ResultFileTest, EqualContentsGiveEqualBytes) {
  const Dataset dataset = dataset_of({50, 300, 7});
  const ResultLayout layout = full_layout(DType::float16);
  write_results(in_folder("a.h5"), layout, dataset, {0, 1, 2});
  write_results(in_folder("b.h5"), layout, dataset, {1, 2, 0});
  EXPECT_TRUE(content_of(in_folder("a.h5")) == content_of(in_folder("b.h5")));
}

TEST_F(ResultFileTest, EveryChunkHasTheThreeFilters) {
  const Dataset dataset = dataset_of({50, 300, 7});
  write_results(in_folder("x.h5"), full_layout(DType::float16), dataset, {0, 1, 2});
  const std::vector<DataSetInfo> datasets = ResultReader(in_folder("x.h5")).datasets();
  const hid_t file = H5Fopen(in_folder("x.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  for (const DataSetInfo& info : datasets) {
    const hid_t set = H5Dopen2(file, info.path.c_str(), H5P_DEFAULT);
    const hid_t creation = H5Dget_create_plist(set);
    std::vector<H5Z_filter_t> filters;
    for (int i = 0; i < H5Pget_nfilters(creation); ++i) {
      unsigned flags = 0;
      std::size_t values = 0;
      filters.push_back(
          H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &values, nullptr, 0, nullptr, nullptr));
    }
    if (info.type == "utf8") {
      EXPECT_THAT(filters, ElementsAre(H5Z_FILTER_SHUFFLE, H5Z_FILTER_DEFLATE)) << info.path;
    } else {
      EXPECT_THAT(filters, ElementsAre(H5Z_FILTER_SHUFFLE, H5Z_FILTER_DEFLATE, H5Z_FILTER_FLETCHER32)) << info.path;
    }
    H5Pclose(creation);
    H5Dclose(set);
  }
  H5Fclose(file);
}

TEST_F(ResultFileTest, AttributesAndOffsetsAreThere) {
  const Dataset dataset = dataset_of({5, 3});
  const ResultLayout layout = full_layout(DType::float16);
  FileAttributes attributes = example_attributes();
  attributes.manifest_yaml = std::string(200000, '#');  // more than HDF5's limit for fixed-size attributes
  attributes.untrained = true;
  {
    ResultWriter writer(in_folder("x.h5"), layout, dataset, {});
    EXPECT_GT(writer.finish(attributes).file_bytes, 0);
  }
  const ResultReader reader(in_folder("x.h5"));
  EXPECT_EQ(reader.schema_version(), 1);
  EXPECT_TRUE(reader.complete());
  EXPECT_EQ(reader.attributes().manifest_yaml, attributes.manifest_yaml);
  EXPECT_EQ(reader.attributes().created_utc, attributes.created_utc);
  EXPECT_EQ(reader.attributes().model_name, attributes.model_name);
  EXPECT_EQ(reader.attributes().precision, "float32");
  EXPECT_TRUE(reader.attributes().untrained);
  EXPECT_NE(reader.untrained_note().find("pleat model fetch NAME"), std::string::npos);
  EXPECT_THAT(reader.floats(schema::contact_offsets, 0, 3), ElementsAre(0, 25, 34));
  EXPECT_THAT(reader.floats(schema::sequence_offsets, 0, 3), ElementsAre(0, 5, 8));
  EXPECT_EQ(reader.sequence(1).residues, "ACD");
}

TEST_F(ResultFileTest, ChainsAreKept) {
  Dataset dataset;
  const std::vector<std::uint16_t> chain{0, 0, 1, 2, 2};
  dataset.records.push_back({"complex", "", dataset.sequences.append("ACDEF", chain), RecordStatus::ok, "", ""});
  write_results(in_folder("x.h5"), full_layout(DType::float16), dataset, {0});
  EXPECT_EQ(ResultReader(in_folder("x.h5")).sequence(0).chain, chain);
}

}  // namespace
}  // namespace pleat
