#include "ops/linear/linear.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "compare.h"
#include "tensor/packed_batch.h"

namespace pleat {
namespace {

TEST(Linear, EqualsTheReferenceForEveryShapeAndActivation) {
  for (const auto& [in, out] : {std::pair<std::int64_t, std::int64_t>{1, 1}, {48, 144}, {320, 33}, {1280, 257}}) {
    for (const auto activation : {Activation::none, Activation::gelu}) {
      for (const bool with_bias : {false, true}) {
        const at::Tensor weight = random_tensor({out, in}, 1) * 0.1;
        const at::Tensor bias = with_bias ? random_tensor({out}, 2) : at::Tensor();
        const at::Tensor x = random_tensor({37, in}, 3);
        const Linear linear(weight, bias, activation);
        EXPECT_LT(relative_error(linear(x), linear_reference(x, weight, bias, activation)), 3e-6) << in << "x" << out;
        EXPECT_EQ(linear.cost(), in * out);
      }
    }
  }
}

// What lets a batch have any number of rows and a sequence any place in it.
TEST(Linear, ARowsBitsDoNotDependOnTheOtherRows) {
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    for (const auto& [in, out] :
         {std::pair<std::int64_t, std::int64_t>{96, 384}, {640, 1920}, {1280, 640}, {5120, 96}}) {
      const Linear linear(random_tensor({out, in}, 1).to(type), random_tensor({out}, 2).to(type));
      const at::Tensor x = random_tensor({1104, in}, 3).to(type);
      const at::Tensor whole = linear(x);
      for (const std::int64_t multiple : {1, 2, 3, 13, 32, 125}) {
        const std::int64_t rows = multiple * PackedBatch::minimum_rows;
        for (const std::int64_t first : {0, 1, 83}) {
          const at::Tensor part = linear(x.slice(0, first, first + rows).contiguous());
          EXPECT_TRUE(at::equal(part, whole.slice(0, first, first + rows)))
              << at::toString(type) << " " << in << "x" << out << ", " << rows << " rows from " << first;
        }
      }
    }
  }
}

}  // namespace
}  // namespace pleat
