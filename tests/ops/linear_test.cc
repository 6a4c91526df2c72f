#include "ops/linear/linear.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <functional>

#include "compare.h"
#include "ops/linear/processor.h"
#include "tensor/packed_batch.h"

namespace pleat {
namespace {

struct Way {
  std::string name;
  std::function<ProcessorLinearPtr(const at::Tensor& weight, const at::Tensor& bias, Activation activation)> make;
  std::vector<at::ScalarType> types = {at::kFloat, at::kBFloat16};
};

// Every way that this processor can take, and tiles in plain arithmetic in place of AMX.
std::vector<Way> all_ways() {
  std::vector<Way> ways;
  for (const cpu::TileKernels* kernels : cpu::usable_tile_kernels()) {
    ways.push_back({kernels->name,
                    [kernels](const auto& weight, const auto& bias, Activation activation) {
                      return make_tile_linear(*kernels, weight, bias, activation);
                    },
                    {at::kBFloat16}});
  }
  if (make_onednn_linear(at::zeros({8, 8}), {}, Activation::none, Rows::packed) != nullptr) {
    ways.push_back({"oneDNN", [](const auto& weight, const auto& bias, Activation activation) {
                      return make_onednn_linear(weight, bias, activation, Rows::packed);
                    }});
  }
  ways.push_back({"panels", make_panel_linear});
  ways.push_back({"chosen", [](const auto& weight, const auto& bias, Activation activation) {
                    return make_processor_linear(weight, bias, activation, Rows::packed);
                  }});
  return ways;
}

at::Tensor exact(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, Activation activation) {
  const auto wide = [](const at::Tensor& t) { return t.defined() ? t.to(at::kDouble) : t; };
  return linear_reference(wide(x), wide(weight), wide(bias), activation);
}

class LinearWay : public testing::TestWithParam<Way> {};

TEST_P(LinearWay, EqualsTheReferenceForEveryShapeAndActivation) {
  for (const auto type : GetParam().types) {
    for (const auto& [in, out] : {std::pair<std::int64_t, std::int64_t>{1, 1}, {48, 144}, {320, 33}, {1280, 257}}) {
      for (const auto activation : {Activation::none, Activation::gelu, Activation::relu}) {
        for (const bool with_bias : {false, true}) {
          const at::Tensor weight = (random_tensor({out, in}, 1) * 0.1).to(type);
          const at::Tensor bias = with_bias ? random_tensor({out}, 2).to(type) : at::Tensor();
          const at::Tensor x = random_tensor({37, in}, 3).to(type);
          const at::Tensor y = GetParam().make(weight, bias, activation)->multiply(x);
          EXPECT_EQ(y.scalar_type(), type);
          EXPECT_LT(relative_error(y.to(at::kDouble), exact(x, weight, bias, activation)),
                    type == at::kFloat ? 3e-6 : 4.1e-3)
              << at::toString(type) << " " << in << "x" << out;
        }
      }
    }
  }
}

TEST_P(LinearWay, WritesIntoRowsOfALargerResult) {
  for (const auto type : GetParam().types) {
    const ProcessorLinearPtr linear =
        GetParam().make(random_tensor({70, 96}, 1).to(type), random_tensor({70}, 2).to(type), Activation::gelu);
    const at::Tensor x = random_tensor({40, 96}, 3).to(type);
    at::Tensor whole = at::zeros({56, 70}, x.options());
    at::Tensor rows = whole.slice(0, 8, 48);
    linear->write(rows, x);
    EXPECT_TRUE(at::equal(whole.slice(0, 8, 48), linear->multiply(x)));
    EXPECT_TRUE(at::equal(whole.slice(0, 0, 8), at::zeros({8, 70}, x.options())));
    EXPECT_TRUE(at::equal(whole.slice(0, 48), at::zeros({8, 70}, x.options())));
  }
}

TEST_P(LinearWay, AddsToASumInFloat32) {
  for (const auto type : GetParam().types) {
    const at::Tensor weight = (random_tensor({70, 96}, 1) * 0.1).to(type);
    const at::Tensor bias = random_tensor({70}, 2).to(type);
    const at::Tensor x = random_tensor({45, 96}, 3).to(type);
    const at::Tensor before = random_tensor({45, 70}, 4);
    at::Tensor sum = before.clone();
    GetParam().make(weight, bias, Activation::none)->add_to(sum, x);
    EXPECT_LT(relative_error(sum.to(at::kDouble), before.to(at::kDouble) + exact(x, weight, bias, Activation::none)),
              type == at::kFloat ? 3e-6 : 4e-3)
        << at::toString(type);
  }
}

// What lets a batch have any number of rows and a sequence any place in it.
TEST_P(LinearWay, ARowsBitsDoNotDependOnTheOtherRows) {
  const bool plain = GetParam().name == "plain arithmetic";
  const std::vector<std::pair<std::int64_t, std::int64_t>> shapes =
      plain ? std::vector<std::pair<std::int64_t, std::int64_t>>{{96, 72}, {640, 40}}
            : std::vector<std::pair<std::int64_t, std::int64_t>>{{96, 384}, {640, 1920}, {1280, 640}, {5120, 96}};
  for (const auto type : GetParam().types) {
    for (const auto& [in, out] : shapes) {
      const ProcessorLinearPtr linear =
          GetParam().make(random_tensor({out, in}, 1).to(type), random_tensor({out}, 2).to(type), Activation::none);
      const at::Tensor x = random_tensor({1104, in}, 3).to(type);
      const at::Tensor whole = linear->multiply(x);
      for (const std::int64_t multiple : {1, 2, 3, 13, 32, 125}) {
        const std::int64_t rows = multiple * PackedBatch::minimum_rows;
        for (const std::int64_t first : {0, 1, 83}) {
          const at::Tensor part = linear->multiply(x.slice(0, first, first + rows).contiguous());
          EXPECT_TRUE(at::equal(part, whole.slice(0, first, first + rows)))
              << at::toString(type) << " " << in << "x" << out << ", " << rows << " rows from " << first;
        }
      }
    }
  }
}

TEST_P(LinearWay, NanAndInfinityStayInTheirRow) {
  for (const auto type : GetParam().types) {
    const ProcessorLinearPtr linear = GetParam().make(random_tensor({40, 64}, 1).to(type), {}, Activation::none);
    at::Tensor x = random_tensor({48, 64}, 3).to(type);
    const at::Tensor before = linear->multiply(x);
    x[5][7] = std::numeric_limits<float>::quiet_NaN();
    x[6][9] = std::numeric_limits<float>::infinity();
    const at::Tensor after = linear->multiply(x);
    EXPECT_FALSE(after.slice(0, 5, 7).isfinite().any().item<bool>());
    EXPECT_TRUE(at::equal(after.slice(0, 0, 5), before.slice(0, 0, 5)));
    EXPECT_TRUE(at::equal(after.slice(0, 7), before.slice(0, 7)));
  }
}

INSTANTIATE_TEST_SUITE_P(Linear, LinearWay, testing::ValuesIn(all_ways()), [](const auto& way) {
  std::string name = way.param.name;
  std::erase_if(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; });
  return name;
});

// A way whose rows depend on their number must be found out, whatever it computes.
TEST(LinearRows, DependenceIsFoundOut) {
  class Dependent : public ProcessorLinear {
   public:
    at::Tensor multiply(const at::Tensor& x) const override {
      at::Tensor y = at::linear(x, weight_);
      if (x.size(0) > 64) y[7][0] *= 1.0000002;
      return y;
    }

   private:
    at::Tensor weight_ = random_tensor({16, 32}, 1);
  };
  EXPECT_FALSE(rows_are_independent(Dependent(), 32, at::kFloat));
}

TEST(Linear, AddsWhereThatCostsNothing) {
  const Linear linear(random_tensor({24, 40}, 1), random_tensor({24}, 2));
  const at::Tensor x = random_tensor({16, 40}, 3);
  at::Tensor expected = random_tensor({16, 24}, 4);
  at::Tensor sum = expected.clone();
  linear.add_to(expected, x);
  EXPECT_FALSE(linear.add_or_return(sum, x).defined());
  EXPECT_TRUE(at::equal(sum, expected));
}

TEST(Linear, KnowsItsCost) { EXPECT_EQ(Linear(at::zeros({33, 320}), {}).cost(), 33 * 320); }

}  // namespace
}  // namespace pleat
