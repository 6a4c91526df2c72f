#include "ops/collect/collect.h"

#include <gtest/gtest.h>

#include <utility>

#include "ops/collect/chunks.h"
#include "ops/device_ops.h"
#include "ragged_rows.h"

namespace pleat {
namespace {

TEST(CollectRows, EqualPlainArithmetic) {
  const RaggedRows ragged;
  for (const at::ScalarType type : {at::kFloat, at::kHalf}) {
    for (const std::int64_t width : {1, 7, 96, 1280}) {
      SCOPED_TRACE(testing::Message() << "width " << width << " " << at::toString(type));
      const at::Tensor hidden = ragged.exact(width);
      const CollectedRows collected = collect_rows(hidden, ragged.on(at::kCPU), {type, true, true});
      const auto rows = static_cast<std::int64_t>(ragged.tokens.size());
      const auto sequences = static_cast<std::int64_t>(ragged.starts.size()) - 1;
      const at::Tensor kept = at::empty({rows, width});
      const at::Tensor means = at::zeros({sequences, width}, at::kDouble);
      for (std::int64_t s = 0; s < sequences; ++s) {
        for (std::int64_t r = ragged.starts[s]; r < ragged.starts[s + 1]; ++r) {
          kept[r].copy_(hidden[ragged.tokens[r]]);
          means[s] += kept[r];
        }
        means[s] /= static_cast<double>(ragged.starts[s + 1] - ragged.starts[s]);
      }
      const auto compare = [&](const ConvertedRows& actual, const at::Tensor& expected) {
        EXPECT_TRUE(at::equal(actual.values, expected.to(type)));
        EXPECT_TRUE(actual.values.is_contiguous());
        EXPECT_TRUE(at::equal(actual.extents, at::stack({expected.amin(1), expected.amax(1)}).to(at::kFloat)));
      };
      compare(collected.rows, kept);
      compare(collected.means, means);
    }
  }
}

TEST(CollectRows, GiveASequenceTheSameMeanAloneAndInCompany) {
  for (const std::int64_t width : {1, 320}) expect_means_alone_as_in_company(at::kCPU, width);
}

TEST(CollectRows, GiveOnlyWhatIsWanted) {
  const RaggedRows ragged;
  const at::Tensor hidden = ragged.exact(8);
  const CollectedRows rows = collect_rows(hidden, ragged.on(at::kCPU), {.type = at::kFloat, .rows = true});
  EXPECT_TRUE(rows.rows.values.defined());
  EXPECT_FALSE(rows.means.values.defined());
  const CollectedRows means = collect_rows(hidden, ragged.on(at::kCPU), {.type = at::kFloat, .means = true});
  EXPECT_FALSE(means.rows.values.defined());
  EXPECT_TRUE(means.means.values.defined());
}

TEST(CollectRows, GoTheDevicesOwnWayUnlessItRefuses) {
  const RaggedRows ragged;
  const at::Tensor hidden = ragged.exact(8);
  const DeviceOps before = device_ops(hidden);
  DeviceOps with_own = before;
  with_own.collect_rows = [](const at::Tensor& x, const KeptRows&, const WantedRows& wanted) {
    std::optional<CollectedRows> collected;
    if (wanted.type == at::kHalf) collected.emplace().rows.values = x;
    return collected;
  };
  set_device_ops(at::kCPU, with_own);
  const CollectedRows own = collect_rows(hidden, ragged.on(at::kCPU), {at::kHalf, true, true});
  const CollectedRows refused = collect_rows(hidden, ragged.on(at::kCPU), {at::kFloat, true, true});
  set_device_ops(at::kCPU, before);
  EXPECT_TRUE(own.rows.values.is_same(hidden));
  EXPECT_TRUE(at::equal(refused.means.values,
                        collect_rows_reference(hidden, ragged.on(at::kCPU), {at::kFloat, true, true}).means.values));
}

TEST(CollectChunks, BeginAnewWithEachSequence) {
  const Chunks chunks = Chunks::of({0, 1, 64, 128, 193, 322});
  EXPECT_EQ(chunks.starts, (std::vector<std::int64_t>{0, 1, 64, 128, 192, 193, 257, 321, 322}));
  EXPECT_EQ(chunks.of_sequence, (std::vector<std::int64_t>{0, 1, 2, 3, 5, 8}));
  const KeptRows kept = KeptRows::make({5, 7, 9}, {0, 1, 3}, at::kCPU);
  EXPECT_TRUE(at::equal(kept.rows, at::tensor({5, 7, 9}, at::kLong)));
  EXPECT_TRUE(at::equal(kept.chunks, at::tensor({0, 1, 3}, at::kLong)));
  EXPECT_TRUE(at::equal(kept.sequence_chunks, at::tensor({0, 1, 2}, at::kLong)));
}

}  // namespace
}  // namespace pleat
