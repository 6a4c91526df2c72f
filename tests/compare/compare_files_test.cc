// Result files whose every number is known, against one another.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "compare/compare.h"
#include "compare/summary.h"
#include "results/store_fixture.h"

namespace pleat {
namespace {

using ::testing::ElementsAre;

class CompareFilesTest : public StoreTest {
 protected:
  // `change` may alter each result before it is written.
  ResultReader written(const std::string& name, const ResultLayout& layout, const Dataset& dataset,
                       const std::function<void(SequenceResult&)>& change = {}) const {
    ResultWriter writer(in_folder(name), layout, dataset, {});
    for (std::int64_t row = 0; row < dataset.sequences.size(); ++row) {
      SequenceResult result = result_of(dataset, layout, row);
      if (change) change(result);
      writer.add(result);
    }
    writer.finish({});
    return ResultReader(in_folder(name));
  }
  static double value_of(const Comparison& comparison, const RecordDifference& record, const std::string& name) {
    for (std::size_t i = 0; i < record.values.size(); ++i) {
      if (comparison.measures()[i].name == name) return record.values[i];
    }
    throw std::runtime_error("no measure " + name);
  }
};

TEST_F(CompareFilesTest, TheSameNumbersAreAtNoDistance) {
  ResultLayout layout = full_layout(DType::float32);
  layout.structure = layout.pae = true;
  const Dataset dataset = dataset_of({3, 50});
  const ResultReader a = written("a.h5", layout, dataset);
  const ResultReader b = written("b.h5", layout, dataset);
  const Comparison comparison(a, b, MatchBy::id);
  EXPECT_EQ(comparison.measures().size(), (2 * 3 + 1) * 2 + 6U);
  ASSERT_EQ(comparison.matches().pairs.size(), 2U);
  const RecordDifference record = comparison.compare(comparison.matches().pairs[1]);
  EXPECT_EQ(record.id, "p1");
  EXPECT_EQ(record.residues, 50);
  for (std::size_t i = 0; i < record.values.size(); ++i) {
    SCOPED_TRACE(comparison.measures()[i].name);
    EXPECT_NEAR(record.values[i], comparison.measures()[i].larger_is_better ? 1 : 0, 1e-6);
  }
}

TEST_F(CompareFilesTest, DifferencesAreThoseOfTheNumbers) {
  ResultLayout layout = folding_layout(DType::float32);
  layout.layers = {6};
  layout.mean = true;
  layout.width = 4;
  layout.depth = 6;
  layout.dtype = DType::float32;
  const Dataset dataset = dataset_of({12});
  const ResultReader a = written("a.h5", layout, dataset, [](SequenceResult& result) {
    result.layers[0].mean = bytes_of_floats({1, 2, 3, 4}, DType::float32);
  });
  const ResultReader b = written("b.h5", layout, dataset, [&](SequenceResult& result) {
    result.layers[0].mean = bytes_of_floats({1, 2, 3, 6}, DType::float32);
    result.structure.ptm += 0.125F;
    std::vector<float> pae(144);
    for (std::size_t i = 0; i < pae.size(); ++i) pae[i] = expected_value(102, 0, static_cast<std::int64_t>(i)) + 3;
    result.structure.pae = bytes_of_floats(pae, DType::float32);
    std::vector<float> plddt(result.structure.plddt.size() / sizeof(float));
    std::memcpy(plddt.data(), result.structure.plddt.data(), result.structure.plddt.size());
    for (float& value : plddt) value += value < 50 ? 2.0F : -2.0F;
    result.structure.plddt = bytes_of_floats(plddt, DType::float32);
  });
  const Comparison comparison(a, b, MatchBy::id);
  const RecordDifference record = comparison.compare(comparison.matches().pairs.at(0));
  EXPECT_NEAR(value_of(comparison, record, "layer_06/mean cosine"), 38 / std::sqrt(30.0 * 50), 1e-12);
  EXPECT_NEAR(value_of(comparison, record, "layer_06/mean relative_error"), 2 / std::sqrt(30.0), 1e-12);
  EXPECT_NEAR(value_of(comparison, record, "ptm"), 0.125, 1e-12);
  EXPECT_NEAR(value_of(comparison, record, "pae"), 3, 1e-12);
  EXPECT_NEAR(value_of(comparison, record, "plddt"), 2, 1e-12);
  EXPECT_EQ(value_of(comparison, record, "lddt"), 1);

  DifferenceSummary summary(comparison.measures(), {{"ptm", 0.125}, {"cosine", 0.99}});
  summary.add(record);
  EXPECT_FALSE(summary.is_kept());
  for (const MeasureSummary& measure : summary.measures()) {
    EXPECT_EQ(measure.is_kept(), measure.measure.kind != "cosine") << measure.measure.name;
  }
}

TEST_F(CompareFilesTest, MatchesTheSameIdsOneByOne) {
  ResultLayout layout = full_layout(DType::float16);
  Dataset first = dataset_of({3, 5, 7});
  first.records[1].id = first.records[0].id;
  Dataset second = dataset_of({3, 5, 9});
  second.records[1].id = second.records[0].id;
  second.records.push_back({"bad", "", -1, RecordStatus::rejected, "bad_residue", "residue 3 is '7'"});
  first.records.push_back({"bad", "", 0, RecordStatus::ok, "", ""});
  const ResultReader a = written("a.h5", layout, first);
  const ResultReader b = written("b.h5", layout, second);
  const Matches matches = match_records(a, b, MatchBy::id);
  ASSERT_EQ(matches.pairs.size(), 2U);
  EXPECT_EQ(matches.pairs[1].a, 1);
  EXPECT_EQ(matches.pairs[1].b, 1);
  std::vector<std::string> reasons;
  for (const Unmatched& record : matches.unmatched) reasons.push_back(record.id + ": " + record.reason);
  EXPECT_THAT(reasons, ElementsAre("p2: its sequences differ", "bad: it is not ok in B"));
}

TEST_F(CompareFilesTest, MatchesSequencesWhateverTheyAreCalled) {
  ResultLayout layout = full_layout(DType::float16);
  const Dataset first = dataset_of({3, 5});
  Dataset second = dataset_of({7, 5});
  for (Record& record : second.records) record.id = "other_" + record.id;
  const ResultReader a = written("a.h5", layout, first);
  const ResultReader b = written("b.h5", layout, second);
  const Matches matches = match_records(a, b, MatchBy::sequence);
  ASSERT_EQ(matches.pairs.size(), 1U);
  EXPECT_EQ(matches.pairs[0].id, "p1");
  EXPECT_EQ(matches.pairs[0].b, 1);
  ASSERT_EQ(matches.unmatched.size(), 2U);
  EXPECT_EQ(matches.unmatched[0].reason, "it is not in B");
  EXPECT_EQ(matches.unmatched[1].id, "other_p0");
  EXPECT_TRUE(match_records(a, b, MatchBy::id).pairs.empty());
}

}  // namespace
}  // namespace pleat
