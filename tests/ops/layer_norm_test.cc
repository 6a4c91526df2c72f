#include "ops/layer_norm/layer_norm.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "compare.h"
#include "ops/cpu/kernels.h"

namespace pleat {
namespace {

TEST(AddLayerNorm, EqualsTheReferenceForEveryWidthTypeAndInstructionSet) {
  for (const cpu::Kernels* table : cpu::usable_kernels()) {
    cpu::use_kernels(*table);
    for (const std::int64_t width : {1, 7, 16, 72, 640, 1280, 5121}) {
      for (const auto type : {at::kFloat, at::kBFloat16}) {
        for (const bool with_update : {false, true}) {
          SCOPED_TRACE(testing::Message() << table->name << " width " << width << " " << at::toString(type));
          const at::Tensor x = random_tensor({9, width}, 1) * 3 + 1;
          const at::Tensor update = with_update ? random_tensor({9, width}, 2).to(type) : at::Tensor();
          const at::Tensor weight = random_tensor({width}, 3);
          const at::Tensor bias = random_tensor({width}, 4);
          at::Tensor residual = x.clone();
          at::Tensor expected_residual = x.clone();
          const at::Tensor actual = add_layer_norm(residual, update, weight, bias, 1e-5, type);
          const at::Tensor expected = add_layer_norm_reference(expected_residual, update, weight, bias, 1e-5, type);
          EXPECT_EQ(actual.scalar_type(), type);
          EXPECT_LT(relative_error(actual, expected), type == at::kFloat ? 3e-6 : 8e-3);
          EXPECT_TRUE(at::equal(residual, expected_residual));
        }
      }
    }
  }
  cpu::use_kernels(*cpu::usable_kernels().front());
}

}  // namespace
}  // namespace pleat
