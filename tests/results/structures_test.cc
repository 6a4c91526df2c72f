// /structures, as written, as read back, and damaged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>

#include <cmath>
#include <map>

#include "format/schema.h"
#include "results/result_reader.h"
#include "store_fixture.h"

namespace pleat {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A monomer with an X, a complex of three chains, one residue, and a longer one.
Dataset folding_dataset() {
  Dataset dataset;
  const auto add = [&](const std::string& residues, const std::vector<std::uint16_t>& chain) {
    Record record;
    record.id = "p" + std::to_string(dataset.records.size());
    record.sequence = dataset.sequences.append(residues, chain);
    dataset.records.push_back(record);
  };
  add("MKXWA", {0, 0, 0, 0, 0});
  add("ACDEFG", {0, 0, 1, 1, 1, 2});
  add("Y", {0});
  add(std::string(300, 'R'), std::vector<std::uint16_t>(300, 0));
  return dataset;
}

class StructuresTest : public StoreTest {
 protected:
  StructuresTest() : dataset_(folding_dataset()) {}

  void write(const ResultLayout& layout, const std::vector<std::int64_t>& rows) const {
    write_results(in_folder("x.h5"), layout, dataset_, rows, {true, {}});
  }
  [[nodiscard]] ResultReader reader() const { return ResultReader(in_folder("x.h5")); }

  Dataset dataset_;
};

TEST_F(StructuresTest, ComeBackAsTheyWereAdded) {
  for (const DType dtype : {DType::float16, DType::float32}) {
    const ResultLayout layout = folding_layout(dtype);
    write(layout, {3, 0, 2, 1});
    const ResultReader results = reader();
    ASSERT_TRUE(results.has_structures());
    ASSERT_TRUE(results.has_pae());
    for (std::int64_t row = 0; row < dataset_.sequences.size(); ++row) {
      const StructureResult added = structure_of(dataset_.sequences.residues(row), row, layout);
      const StoredStructure stored = results.structure(row);
      EXPECT_EQ(stored.positions, added.positions) << row;
      EXPECT_EQ(stored.atom_mask, added.atom_mask) << row;
      EXPECT_EQ(bytes_of_floats(stored.plddt, dtype), added.plddt) << row;
      EXPECT_EQ(stored.mean_plddt, added.mean_plddt) << row;
      EXPECT_EQ(stored.ptm, added.ptm) << row;
      EXPECT_EQ(stored.recycles, added.recycles) << row;
      EXPECT_TRUE(stored.computed());
      EXPECT_EQ(bytes_of_floats(results.pae(row), dtype), added.pae) << row;
    }
    EXPECT_THAT(results.structure(1).chain, ElementsAre(0, 0, 1, 1, 1, 2));
    EXPECT_THAT(results.structure(1).residue_number, ElementsAre(1, 2, 1, 2, 3, 1));
    EXPECT_THAT(results.floats(schema::pae_offsets, 0, 5), ElementsAre(0, 25, 61, 62, 90062));
  }
}

TEST_F(StructuresTest, RowsNeverComputedAreMarked) {
  write(folding_layout(DType::float16), {1, 3});
  const ResultReader results = reader();
  for (const std::int64_t row : {0, 2}) {
    const StoredStructure stored = results.structure(row);
    EXPECT_FALSE(stored.computed());
    EXPECT_EQ(stored.recycles, -1);
    EXPECT_TRUE(std::isnan(stored.mean_plddt));
    EXPECT_TRUE(std::isnan(stored.ptm));
    EXPECT_THAT(stored.atom_mask, Each(0));
    EXPECT_THAT(stored.positions, Each(::testing::IsNan()));
    EXPECT_THAT(stored.plddt, Each(::testing::IsNan()));
    EXPECT_THAT(results.pae(row), Each(::testing::IsNan()));
    EXPECT_EQ(stored.residue_number.front(), 1);
  }
  EXPECT_TRUE(results.structure(3).computed());
}

TEST_F(StructuresTest, HaveTheShapesAndTypesOfTheSchema) {
  const auto check = [&](DType dtype, const std::string& confidence) {
    write(folding_layout(dtype), {0});
    std::map<std::string, std::pair<std::vector<std::int64_t>, std::string>> found;
    for (const DataSetInfo& info : reader().datasets()) found[info.path] = {info.shape, info.type};
    using Entry = std::pair<std::vector<std::int64_t>, std::string>;
    const std::map<std::string, Entry> expected{{schema::positions, {{312, 14, 3}, "float32"}},
                                                {schema::atom_mask, {{312, 14}, "uint8"}},
                                                {schema::plddt, {{312, 14}, confidence}},
                                                {schema::mean_plddt, {{4}, "float32"}},
                                                {schema::ptm, {{4}, "float32"}},
                                                {schema::recycles, {{4}, "int32"}},
                                                {schema::pae, {{90062}, confidence}},
                                                {schema::pae_offsets, {{5}, "int64"}},
                                                {schema::structure_chain, {{312}, "uint16"}},
                                                {schema::residue_number, {{312}, "int32"}},
                                                {schema::atom14_names, {{21, 14}, "utf8"}}};
    for (const auto& [path, entry] : expected) EXPECT_EQ(found[path], entry) << path;
  };
  check(DType::float16, "float16");
  check(DType::float32, "float32");
}

TEST_F(StructuresTest, WithoutPaeThereIsNone) {
  ResultLayout layout = folding_layout(DType::float16);
  layout.pae = false;
  write(layout, {0, 1, 2, 3});
  const ResultReader results = reader();
  EXPECT_TRUE(results.has_structures());
  EXPECT_FALSE(results.has_pae());
  EXPECT_EQ(error_of([&] { (void)results.pae(0); }).code(), ErrorCode::bad_input);
}

TEST_F(StructuresTest, FilesWithoutStructuresSaySo) {
  write_results(in_folder("e.h5"), full_layout(DType::float16), dataset_, {0});
  const ResultReader results(in_folder("e.h5"));
  EXPECT_FALSE(results.has_structures());
  EXPECT_EQ(error_of([&] { (void)results.structure(0); }).code(), ErrorCode::bad_input);
}

TEST_F(StructuresTest, GoWithEmbeddingsInOneFile) {
  ResultLayout layout = full_layout(DType::float32);
  layout.structure = layout.pae = true;
  write(layout, {2, 1, 0, 3});
  const ResultReader results = reader();
  EXPECT_EQ(results.structure(1).positions, structure_of("ACDEFG", 1, layout).positions);
  EXPECT_EQ(results.floats("/embeddings/layer_06/mean", 1, 1)[2], expected_value(10, 1, 2));
}

TEST_F(StructuresTest, LayoutsAndResultsThatDoNotFitAreABug) {
  ResultLayout pae_only;
  pae_only.pae = true;
  ResultLayout bfloat = folding_layout(DType::bfloat16);
  for (const ResultLayout& bad : {pae_only, bfloat}) {
    EXPECT_EQ(error_of([&] { ResultWriter(in_folder("x.h5"), bad, dataset_, {}); }).code(), ErrorCode::internal);
  }
  EXPECT_THAT(listing(), IsEmpty());
  const ResultLayout layout = folding_layout(DType::float16);
  ResultWriter writer(in_folder("x.h5"), layout, dataset_, {});
  SequenceResult result = result_of(dataset_, layout, 1);
  result.structure.positions.pop_back();
  const Error error = error_of([&] { writer.add(result); });
  EXPECT_EQ(error.code(), ErrorCode::internal);
  EXPECT_THAT(error.what(), HasSubstr(schema::positions));
}

// No run is begun whose pae cannot fit the disk.
TEST_F(StructuresTest, PaeThatCannotFitIsRefusedUpFront) {
  const Dataset huge = dataset_of(std::vector<std::int64_t>(10, 2'000'000));  // 160 TB
  ResultLayout layout = folding_layout(DType::float32);
  const Error error = error_of([&] { ResultWriter(in_folder("x.h5"), layout, huge, {}); });
  EXPECT_EQ(error.code(), ErrorCode::retry);
  EXPECT_THAT(error.what(), HasSubstr("free"));
  EXPECT_THAT(listing(), IsEmpty());
}

TEST_F(StructuresTest, ANoteKeepsTheRecordOk) {
  dataset_.records[1].error_code = "residues_converted";
  dataset_.records[1].message = "1 letter became X";
  const ResultLayout layout = folding_layout(DType::float16);
  ResultWriter writer(in_folder("x.h5"), layout, dataset_, {});
  for (const std::int64_t row : {0, 1, 2}) {
    SequenceResult result = result_of(dataset_, layout, row);
    if (row < 2) {
      result.error_code = "suspect_structure";
      result.message = "most CA atoms lie too far apart";
    }
    writer.add(result);
  }
  writer.finish(example_attributes());
  const std::vector<Record> records = reader().records(0, 3);
  EXPECT_EQ(records[0].status, RecordStatus::ok);
  EXPECT_EQ(records[0].error_code, "suspect_structure");
  EXPECT_EQ(records[0].message, "most CA atoms lie too far apart");
  EXPECT_EQ(records[1].status, RecordStatus::ok);
  EXPECT_EQ(records[1].error_code, "residues_converted");
  EXPECT_EQ(records[1].message, "1 letter became X; most CA atoms lie too far apart");
  EXPECT_EQ(records[2].error_code, "");
  EXPECT_EQ(records[2].message, "");
  EXPECT_TRUE(reader().structure(0).computed());
}

TEST_F(StructuresTest, WhatMustStandBeforeTheFileIsAskedFirst) {
  const ResultLayout layout = folding_layout(DType::float16);
  ResultWriter writer(in_folder("x.h5"), layout, dataset_, {});
  const Error error = error_of([&] {
    writer.finish(example_attributes(), [&] {
      EXPECT_TRUE(std::filesystem::exists(in_folder("x.h5.partial")));
      throw Error(ErrorCode::retry, "no room");
    });
  });
  EXPECT_EQ(error.code(), ErrorCode::retry);
  EXPECT_FALSE(std::filesystem::exists(in_folder("x.h5")));
  int calls = 0;
  writer.finish(example_attributes(), [&] {
    ++calls;
    EXPECT_FALSE(std::filesystem::exists(in_folder("x.h5")));
  });
  EXPECT_EQ(calls, 1);
  EXPECT_THAT(listing(), ElementsAre("x.h5"));
}

class DamagedStructuresTest : public StructuresTest {
 protected:
  DamagedStructuresTest() { write(folding_layout(DType::float16), {0, 1, 2, 3}); }

  // Puts a dataset of another shape and type in the place of one.
  void replace(const char* path, const std::vector<hsize_t>& shape, hid_t type = H5T_IEEE_F32LE) const {
    const hid_t file = H5Fopen(in_folder("x.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    H5Ldelete(file, path, H5P_DEFAULT);
    const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
    const hid_t set = H5Dcreate2(file, path, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dclose(set);
    H5Sclose(space);
    H5Fclose(file);
  }
  // Writes numbers over the first ones of a dataset of one dimension.
  void overwrite(const char* path, const std::vector<std::int64_t>& values) const {
    const hid_t file = H5Fopen(in_folder("x.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t set = H5Dopen2(file, path, H5P_DEFAULT);
    const hid_t space = H5Dget_space(set);
    const hsize_t start = 0;
    const hsize_t count = values.size();
    H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, nullptr, &count, nullptr);
    const hid_t memory = H5Screate_simple(1, &count, nullptr);
    ASSERT_GE(H5Dwrite(set, H5T_NATIVE_INT64, memory, space, H5P_DEFAULT, values.data()), 0);
    H5Sclose(memory);
    H5Sclose(space);
    H5Dclose(set);
    H5Fclose(file);
  }
  void expect_refused(const char* path, std::int64_t row = 1) const {
    const ResultReader results = reader();
    const Error error = error_of([&] { (void)results.structure(row); });
    EXPECT_EQ(error.code(), ErrorCode::bad_input) << path;
    EXPECT_THAT(error.what(), HasSubstr(path));
  }
};

TEST_F(DamagedStructuresTest, WrongShapesAreRefused) {
  const std::vector<std::vector<hsize_t>> none_fits{{312},        {312, 14},       {312, 14, 4}, {312, 13, 3},
                                                    {311, 14, 3}, {312, 14, 3, 1}, {0, 14, 3}};
  for (const auto& shape : none_fits) {
    replace(schema::positions, shape);
    expect_refused(schema::positions);
  }
  write(folding_layout(DType::float16), {0, 1, 2, 3});
  for (const char* path : {schema::atom_mask, schema::plddt, schema::mean_plddt, schema::ptm, schema::recycles,
                           schema::structure_chain, schema::residue_number}) {
    write(folding_layout(DType::float16), {0, 1, 2, 3});
    replace(path, {3, 3});
    expect_refused(path);
    replace(path, {});
    expect_refused(path);
  }
}

TEST_F(DamagedStructuresTest, MissingAndForeignDatasetsAreRefused) {
  replace(schema::positions, {312, 14, 3}, H5T_C_S1);
  expect_refused(schema::positions);
  write(folding_layout(DType::float16), {0, 1, 2, 3});
  const hid_t file = H5Fopen(in_folder("x.h5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  H5Ldelete(file, schema::atom_mask, H5P_DEFAULT);
  H5Fclose(file);
  expect_refused(schema::atom_mask);
}

TEST_F(DamagedStructuresTest, ChainsThatDoNotCountUpAreRefused) {
  // Row 1 begins at residue 5.
  for (const std::vector<std::int64_t>& chains :
       {std::vector<std::int64_t>{0, 0, 0, 0, 0, 1}, {0, 0, 0, 0, 0, 0, 2}, {0, 0, 0, 0, 0, 0, 0, 1, 0}}) {
    write(folding_layout(DType::float16), {0, 1, 2, 3});
    overwrite(schema::structure_chain, chains);
    expect_refused("/structures");
  }
  write(folding_layout(DType::float16), {0, 1, 2, 3});
  overwrite(schema::residue_number, {1, 2, 3, 4, 5, 1, 3});
  expect_refused("/structures");
}

TEST_F(DamagedStructuresTest, PaeOffsetsThatDoNotFitAreRefused) {
  for (const std::vector<std::int64_t>& offsets :
       {std::vector<std::int64_t>{0, 24}, {0, 25, 62}, {0, -36, 0}, {0, 90062, 90098}, {0, 25, 25}}) {
    write(folding_layout(DType::float16), {0, 1, 2, 3});
    overwrite(schema::pae_offsets, offsets);
    const ResultReader results = reader();
    const Error error = error_of([&] { (void)results.pae(offsets.size() == 2 ? 0 : 1); });
    EXPECT_EQ(error.code(), ErrorCode::bad_input);
    EXPECT_THAT(error.what(), HasSubstr(schema::pae_offsets));
  }
  replace(schema::pae, {90062, 2});
  const Error error = error_of([this] { (void)reader().pae(0); });
  EXPECT_EQ(error.code(), ErrorCode::bad_input);
}

}  // namespace
}  // namespace pleat
