#include "tensor/packed_batch.h"

#include <gtest/gtest.h>

namespace pleat {
namespace {

TEST(PackedBatch, CountsItsTokens) {
  PackedBatch batch;
  batch.tokens.resize(16);
  batch.cu_seqlens = {0, 3, 10, 13};
  batch.rows = {7, 2, 5};
  EXPECT_EQ(batch.size(), 3);
  EXPECT_EQ(batch.token_count(), 13);
  EXPECT_EQ(batch.padded_tokens(), 16);
  EXPECT_EQ(batch.longest(), 7);
}

}  // namespace
}  // namespace pleat
