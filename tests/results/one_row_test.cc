// Datasets that only the table of the result file knows: a row each is enough for them to be written, resumed, read,
// merged, verified and described. This program links a table of its own in place of the library's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <span>

#include "core/sha256.h"
#include "format/record_parts.h"
#include "format/schema_table.h"
#include "results/check_results.h"
#include "results/merge.h"
#include "results/result_reader.h"
#include "store_fixture.h"

namespace pleat::schema {
std::span<const DatasetEntry> known_datasets();
}
#define dataset_table known_datasets
#include "format/dataset_table.cc"  // NOLINT(bugprone-suspicious-include)
#undef dataset_table

namespace pleat {
namespace schema {

constexpr const char* links = "/made_up/links";
constexpr const char* link_offsets = "/made_up/link_offsets";
constexpr const char* turns = "/made_up/turns";

std::span<const DatasetEntry> dataset_table() {
  static const std::vector<DatasetEntry> table = [] {
    std::vector<DatasetEntry> rows(known_datasets().begin(), known_datasets().end());
    rows.push_back({.path = links,
                    .element = Element::float32,
                    .extent = Extent::chain_pair,
                    .row_shape = {2},
                    .present = Present::with_contacts,
                    .content = Extra{},
                    .range = {0, 10},
                    .unit = "knots",
                    .help = "Two made-up numbers for each pair of chains."});
    rows.push_back({.path = link_offsets,
                    .element = Element::int64,
                    .extent = Extent::sequence,
                    .present = Present::with_contacts,
                    .content = Offsets{Extent::chain_pair},
                    .help = "Where each sequence begins in it."});
    rows.push_back({.path = turns,
                    .element = Element::int32,
                    .extent = Extent::chain,
                    .present = Present::with_contacts,
                    .content = Extra{},
                    .missing = -7,
                    .range = {0, 100},
                    .help = "A made-up number for each chain."});
    return rows;
  }();
  return table;
}

}  // namespace schema

namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Sequences of 1, 3, 2 and 1 chains.
Dataset chains_dataset() {
  Dataset dataset;
  for (const auto& chain : std::vector<std::vector<std::uint16_t>>{{0, 0, 0}, {0, 1, 1, 2}, {0, 0, 1}, {0}}) {
    Record record;
    record.id = "p" + std::to_string(dataset.records.size());
    record.sequence = dataset.sequences.append(std::string(chain.size(), 'A'), chain);
    dataset.records.push_back(record);
  }
  return dataset;
}

// Every other record and sequence of chains_dataset(), from `index` - 1 on.
Dataset half(std::int64_t index) {
  const Dataset all = chains_dataset();
  Dataset part;
  part.shard = ShardPart{index, 2, 4, 4, {}, {}};
  for (std::int64_t row = index - 1; row < 4; row += 2) {
    Record record = all.records[static_cast<std::size_t>(row)];
    record.sequence = part.sequences.append(all.sequences.residues(row), all.sequences.chain(row));
    part.records.push_back(record);
    part.shard->record_places.push_back(row);
    part.shard->sequence_places.push_back(row);
  }
  return part;
}

ResultLayout contacts_layout() {
  ResultLayout layout;
  layout.contacts = true;
  layout.dtype = DType::float32;
  return layout;
}

template <typename T>
std::vector<std::byte> bytes_of_values(const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

// Numbers that say which sequence of chains_dataset() they are of.
std::vector<float> links_of(std::int64_t chains, std::int64_t place) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < 2 * chains * chains; ++i) {
    values.push_back(static_cast<float>(place) + static_cast<float>(i) / 32);
  }
  return values;
}

SequenceResult result_with_links(const Dataset& dataset, std::int64_t row) {
  const std::int64_t place = dataset.shard ? dataset.shard->sequence_places[static_cast<std::size_t>(row)] : row;
  const std::int64_t chains = dataset.sequences.chains(row);
  const std::int64_t length = dataset.sequences.length(row);
  SequenceResult result;
  result.row = row;
  result.device = "cpu:0";
  result.contacts =
      bytes_of_values(std::vector<float>(static_cast<std::size_t>(length * length), static_cast<float>(place) / 8));
  result.extra[schema::links] = bytes_of_values(links_of(chains, place));
  result.extra[schema::turns] = bytes_of_values(
      std::vector<std::int32_t>(static_cast<std::size_t>(chains), static_cast<std::int32_t>(10 * place)));
  return result;
}

FileAttributes honest_attributes() {
  FileAttributes attributes = example_attributes();
  attributes.manifest_sha256 = sha256_of(attributes.manifest_yaml);
  return attributes;
}

class OneRowTest : public StoreTest {
 protected:
  [[nodiscard]] std::filesystem::path write(const std::string& name, const Dataset& dataset,
                                            const std::vector<std::int64_t>& rows) const {
    ResultWriter writer(in_folder(name), contacts_layout(), dataset, {});
    for (const std::int64_t row : rows) writer.add(result_with_links(dataset, row));
    writer.finish(honest_attributes());
    return in_folder(name);
  }
};

TEST_F(OneRowTest, IsWrittenAndRead) {
  const ResultReader reader(write("x.h5", chains_dataset(), {3, 1, 0}));
  const std::vector<std::int64_t> chains{1, 3, 2, 1};
  for (const std::int64_t row : {0, 1, 3}) {
    EXPECT_EQ(reader.values(schema::links, row), links_of(chains[static_cast<std::size_t>(row)], row)) << row;
  }
  EXPECT_THAT(reader.values(schema::links, 2), Each(::testing::IsNan()));
  EXPECT_EQ(reader.values(schema::links, 2).size(), 8);
  EXPECT_THAT(reader.values(schema::turns, 1), ElementsAre(10, 10, 10));
  EXPECT_THAT(reader.values(schema::turns, 2), ElementsAre(-7, -7));
  EXPECT_THAT(reader.floats(schema::link_offsets, 0, 5), ElementsAre(0, 1, 10, 14, 15));
}

TEST_F(OneRowTest, IsResumed) {
  const Dataset dataset = chains_dataset();
  { ResultWriter(in_folder("x.h5"), contacts_layout(), dataset, {}).add(result_with_links(dataset, 1)); }
  const ResultReader reader(write("x.h5", dataset, {0, 2, 3}));
  EXPECT_EQ(reader.values(schema::links, 1), links_of(3, 1));
  EXPECT_THAT(reader.values(schema::turns, 1), ElementsAre(10, 10, 10));
}

TEST_F(OneRowTest, ComesBackFromItsBytes) {
  const Dataset dataset = chains_dataset();
  const SequenceResult result = result_with_links(dataset, 1);
  std::vector<std::byte> bytes;
  for (const auto part : bytes_of(result, contacts_layout())) bytes.insert(bytes.end(), part.begin(), part.end());
  const SequenceResult same = result_from(bytes, contacts_layout(), size_of(dataset.sequences, 1));
  EXPECT_EQ(same.contacts, result.contacts);
  EXPECT_EQ(same.extra, result.extra);
}

TEST_F(OneRowTest, IsMerged) {
  const std::vector<std::filesystem::path> parts{write("2.h5", half(2), {1, 0}), write("1.h5", half(1), {0, 1})};
  merge_results(parts, in_folder("merged.h5"), {});
  const ResultReader merged(in_folder("merged.h5"));
  const ResultReader whole(write("whole.h5", chains_dataset(), {0, 1, 2, 3}));
  for (const std::int64_t row : {0, 1, 2, 3}) {
    EXPECT_EQ(merged.values(schema::links, row), whole.values(schema::links, row)) << row;
    EXPECT_EQ(merged.values(schema::turns, row), whole.values(schema::turns, row)) << row;
  }
  EXPECT_EQ(merged.floats(schema::link_offsets, 0, 5), whole.floats(schema::link_offsets, 0, 5));
  EXPECT_THAT(check_results(in_folder("merged.h5")).problems, IsEmpty());
}

TEST_F(OneRowTest, IsVerified) {
  const Dataset dataset = chains_dataset();
  const std::vector<std::int64_t> all{0, 1, 2, 3};
  EXPECT_THAT(check_results(write("good.h5", dataset, all)).problems, IsEmpty());
  {
    ResultWriter writer(in_folder("range.h5"), contacts_layout(), dataset, {});
    for (const std::int64_t row : all) {
      SequenceResult result = result_with_links(dataset, row);
      if (row == 1) result.extra[schema::turns] = bytes_of_values(std::vector<std::int32_t>{1, 101, 2});
      writer.add(result);
    }
    writer.finish(honest_attributes());
  }
  const ResultCheck range = check_results(in_folder("range.h5"));
  ASSERT_EQ(range.problems.size(), 1);
  EXPECT_EQ(range.problems.front().place, schema::turns);
  EXPECT_THAT(range.problems.front().what, HasSubstr("101"));

  for (const char* const path : {schema::links, schema::link_offsets, schema::turns}) {
    const std::filesystem::path file = write("lacking.h5", dataset, all);
    const hid_t id = H5Fopen(file.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    H5Ldelete(id, path, H5P_DEFAULT);
    H5Fclose(id);
    const ResultCheck lacking = check_results(file);
    ASSERT_EQ(lacking.problems.size(), 1) << path;
    EXPECT_EQ(lacking.problems.front().place, path);
    std::filesystem::remove(file);
  }
}

TEST_F(OneRowTest, IsRefusedInAnotherSize) {
  const Dataset dataset = chains_dataset();
  ResultWriter writer(in_folder("x.h5"), contacts_layout(), dataset, {});
  SequenceResult result = result_with_links(dataset, 1);
  result.extra.erase(schema::turns);
  EXPECT_THAT(error_of([&] { writer.add(result); }).what(), HasSubstr("0 bytes for /made_up/turns instead of 12"));
}

TEST_F(OneRowTest, IsDescribed) {
  EXPECT_THAT(
      schema::results_markdown(),
      HasSubstr("| `/made_up/links` | float32 [sum of C * C, 2] | knots | tasks.contacts | Two made-up numbers"));
  EXPECT_THAT(schema::results_markdown(), HasSubstr("`turns` -7"));
  const auto table = nlohmann::json::parse(schema::results_json());
  const auto& last = table["datasets"].back();
  EXPECT_EQ(last["path"], schema::turns);
  EXPECT_EQ(last["shape"], nlohmann::json({"sum of C"}));
}

}  // namespace
}  // namespace pleat
