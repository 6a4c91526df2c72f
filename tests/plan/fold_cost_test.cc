#include "plan/fold_cost.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace pleat {
namespace {

const FoldConfig published;  // the defaults are those of esmfold_v1

FoldConfig with_channels(std::int64_t channels) {
  FoldConfig config;
  config.trunk.pairwise_state_dim = channels;
  config.trunk.pairwise_head_width = 8;
  config.trunk.num_blocks = 2;
  return config;
}

class TrunkFlops : public testing::TestWithParam<std::int64_t> {};

TEST_P(TrunkFlops, AreThosePublishedForEsmfold) {
  const auto p = static_cast<double>(GetParam());
  const double expected = 73'728 * p * p * p + 4.94e7 * p * p + 1.32e9 * p;
  EXPECT_NEAR(trunk_flops(published.trunk, GetParam()) / expected, 1, 0.01);
}

INSTANTIATE_TEST_SUITE_P(Lengths, TrunkFlops, testing::Values(1, 16, 64, 128, 256, 384, 1000, 4000, 100'000));

TEST(FoldBytes, WhatIsKeptOfPairsIsCounted) {
  const double pairs = 1000.0 * 1000.0 * 4;
  EXPECT_DOUBLE_EQ(fold_bytes(published, 1000, 16, 2, 66) - fold_bytes(published, 1000, 16, 2), 66 * 5 * pairs);
  EXPECT_LE(largest_chunk(published, 1000, 2e9, 2, 66), largest_chunk(published, 1000, 2e9, 2));
  const ModelShape language_model{2560, 36, 40, 10240};
  EXPECT_LT(longest_that_folds(published, language_model, {.mixture = true}, 16, 16e9, 2, 66),
            longest_that_folds(published, language_model, {.mixture = true}, 16, 16e9, 2));
}

TEST(TrunkFlopsOfOther, GrowWithBlocksAndChannels) {
  TrunkConfig half = published.trunk;
  half.num_blocks = 24;
  EXPECT_DOUBLE_EQ(2 * trunk_flops(half, 200), trunk_flops(published.trunk, 200));
  TrunkConfig wide = published.trunk;
  wide.pairwise_state_dim = 256;
  // Twice the channels: twice the arithmetic of triangles, four times that of pairs.
  const double ratio = trunk_flops(wide, 512) / trunk_flops(published.trunk, 512);
  EXPECT_GT(ratio, 2);
  EXPECT_LT(ratio, 4);
}

TEST(FoldFlops, CountPassesAndTheStructureModule) {
  const double one = fold_flops(published, 300, 1);
  EXPECT_DOUBLE_EQ(fold_flops(published, 300, 4), 4 * one);
  EXPECT_DOUBLE_EQ(one,
                   trunk_flops(published.trunk, 300) + structure_module_flops(published.trunk.structure_module, 300));
  // The trunk is nearly all of it.
  EXPECT_LT(one, 1.01 * trunk_flops(published.trunk, 300));
}

TEST(StructureModuleFlops, AreThoseOfItsLinearLayersAndAttention) {
  // Twice the multiply-adds of eight blocks. For a position: 384 x (192 + 384) scalars and 384 x (144 + 432) points,
  // 2112 x 384 out, three of 384 x 384, 6 x 384, then 2 x 384 x 128, four of 128 x 128, 128 x 14. For a pair and head:
  // 128 for the bias, 16 + 12 for a score, 16 + 24 + 128 of values.
  const double position = 384.0 * (576 + 576 + 2112 + 3 * 384 + 6 + 2 * 128) + 4 * 128 * 128 + 128 * 14;
  const double pair = 12.0 * (128 + 16 + 12 + 16 + 24 + 128);
  EXPECT_DOUBLE_EQ(structure_module_flops(published.trunk.structure_module, 100),
                   2 * 8 * (100 * position + 100 * 100 * pair));
}

class FoldBytes : public testing::TestWithParam<std::int64_t> {};

TEST_P(FoldBytes, GrowWithEverything) {
  const FoldConfig config = with_channels(GetParam());
  const std::int64_t chunk = smallest_chunk(config);
  double previous = 0;
  for (const std::int64_t positions : {1, 2, 15, 16, 17, 100, 1000, 10'000, 100'000}) {
    const double bytes = fold_bytes(config, positions, chunk, 2);
    EXPECT_GT(bytes, previous) << positions;
    previous = bytes;
    EXPECT_GT(fold_bytes(config, positions, chunk, 3), bytes);
    EXPECT_GE(fold_bytes(config, positions, config.trunk.pairwise_state_dim, 2), bytes);
    // The pair state alone.
    const auto p = static_cast<double>(positions);
    EXPECT_GT(bytes, 4 * p * p * static_cast<double>(config.trunk.pairwise_state_dim));
  }
}

INSTANTIATE_TEST_SUITE_P(Channels, FoldBytes, testing::Values(8, 16, 24, 64, 128, 256));

// As measured: a run with 1,000 residues and all channels at once takes 1.79 GB more than before its first fold.
TEST(FoldBytesOfEsmfold, AreThreeAndAHalfPairStatesWithAllChannelsAtOnce) {
  const double pair_state = 4.0 * 128 * 1000 * 1000;
  EXPECT_NEAR(fold_bytes(published, 1000, 128, 2) / pair_state, 3.5, 0.1);
  // The product and a small share of its factors beside the pair state.
  EXPECT_NEAR(fold_bytes(published, 1000, 16, 2) / pair_state, 2.7, 0.1);
}

// Counted by hand from the general operations, not measured: the pair state, the product of all channels and a chunk of
// each factor, and passing blocks of a fixed size.
TEST(FoldBytesOnAGpu, AreFourPairStatesWithAllChannelsAtOnce) {
  const double pair_state = 4.0 * 128 * 4000 * 4000;
  const double passing = 10 * 4.0 * (1 << 24);
  EXPECT_NEAR((fold_bytes(published, 4000, 128, plan_on_gpu) - passing) / pair_state, 4.1, 0.1);
  EXPECT_NEAR((fold_bytes(published, 4000, 16, plan_on_gpu) - passing) / pair_state, 2.4, 0.1);
  EXPECT_GT(fold_bytes(published, 100, 16, plan_on_gpu), passing);
}

// By hand from the kernels' buffers: the pair state; queries, keys, values and what was attended to in 16 bits, twice
// the pair state's size together; and a share for what both ways have.
TEST(FoldBytesByKernels, AreThreePairStatesWhateverTheChunk) {
  const double pair_state = 4.0 * 128 * 4000 * 4000;
  const double passing = 10 * 4.0 * (1 << 24);
  EXPECT_TRUE(has_pair_kernels(published.trunk));
  EXPECT_FALSE(has_pair_kernels(with_channels(64).trunk));
  EXPECT_NEAR((fold_bytes(published, 4000, 128, plan_by_kernels) - passing) / pair_state, 3.1, 0.1);
  EXPECT_EQ(fold_bytes(published, 4000, 16, plan_by_kernels), fold_bytes(published, 4000, 128, plan_by_kernels));
  EXPECT_LT(fold_bytes(published, 1000, 128, plan_by_kernels), fold_bytes(published, 1000, 128, plan_on_gpu));
  // Planes are filled up, and the least lengths are mostly that.
  EXPECT_GT(fold_bytes(published, 9, 128, plan_by_kernels), fold_bytes(published, 8, 128, plan_by_kernels));
}

// By the model alone: no fold has run on a GPU yet.
TEST(FoldBytesOnAGpu, TwoThousandResiduesFitOnACardOf80GbBesideTheLargestLanguageModel) {
  const ModelShape esm2_3b{2560, 36, 40, 10240};
  const double weights = weight_bytes(esm2_3b, 4) + 4 * 0.7e9;
  const double left = 0.8 * (80e9 - 1.5e9 - weights);
  EXPECT_GT(longest_that_folds(published, esm2_3b, {.mixture = true}, 128, left, plan_on_gpu), 2048);
}

TEST(LargestChunk, IsTheMostThatFits) {
  const std::int64_t positions = 800;
  std::int64_t previous = 0;
  for (double bytes = 1e6; bytes < 1e11; bytes *= 1.05) {
    const std::int64_t chunk = largest_chunk(published, positions, bytes, 4);
    EXPECT_GE(chunk, previous);
    EXPECT_EQ(chunk % 16, 0);
    previous = chunk;
    if (chunk > 16) {
      EXPECT_LE(fold_bytes(published, positions, chunk, 4), bytes);
    }
  }
  EXPECT_EQ(previous, 128);
}

TEST(LargestChunk, IsAllChannelsOrAMultipleOfSixteenThatSavesMemory) {
  const auto choices = [](std::int64_t channels) {
    const FoldConfig config = with_channels(channels);
    std::vector<std::int64_t> seen;
    for (double bytes = 1e6; bytes < 1e12; bytes *= 1.001) {
      const std::int64_t chunk = largest_chunk(config, 5000, bytes, 1);
      if (seen.empty() || seen.back() != chunk) seen.push_back(chunk);
    }
    EXPECT_EQ(seen.front(), smallest_chunk(config));
    return seen;
  };
  EXPECT_EQ(choices(8), (std::vector<std::int64_t>{8}));
  EXPECT_EQ(choices(16), (std::vector<std::int64_t>{16}));
  EXPECT_EQ(choices(24), (std::vector<std::int64_t>{24}));
  EXPECT_EQ(choices(32), (std::vector<std::int64_t>{32}));
  EXPECT_EQ(choices(40), (std::vector<std::int64_t>{16, 40}));
  EXPECT_EQ(choices(128), (std::vector<std::int64_t>{16, 32, 48, 128}));
}

TEST(LongestThatFolds, IsTheInverse) {
  const ModelShape language_model{2560, 36, 40, 10'240};  // of esmfold_v1
  const KeptOutputs kept{1, false, false, true};
  for (const std::int64_t chunk : {16, 48, 128}) {
    for (const double bytes : {1e8, 1e9, 16e9, 1e12}) {
      const auto needed = [&](std::int64_t positions) {
        return activation_bytes(language_model, kept, positions + 2, positions + 2, 2) +
               fold_bytes(published, positions, chunk, 2);
      };
      const std::int64_t longest = longest_that_folds(published, language_model, kept, chunk, bytes, 2);
      ASSERT_GT(longest, 0);
      EXPECT_LE(needed(longest), bytes);
      EXPECT_GT(needed(longest + 1), bytes);
    }
  }
  EXPECT_EQ(longest_that_folds(published, language_model, kept, 16, 0, 2), 0);
  // Sixteen gigabytes hold a protein of three thousand residues.
  EXPECT_NEAR(static_cast<double>(longest_that_folds(published, language_model, kept, 16, 16e9, 2)), 3500, 200);
}

}  // namespace
}  // namespace pleat
