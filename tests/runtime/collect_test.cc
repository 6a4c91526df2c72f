#include "runtime/collect.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "cuda_row.h"

namespace pleat {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t width = 3;
constexpr std::int64_t vocabulary = 5;
constexpr std::int64_t linker = 25;

// Two sequences: ACD, and A:BC with its linker; 5 and 30 tokens, and 5 that belong to nobody.
PackedBatch two_sequences() {
  PackedBatch batch;
  batch.rows = {40, 7};
  batch.cu_seqlens = {0, 5, 5 + 2 + 3 + linker};
  batch.tokens.assign(40, 0);
  batch.residue_tokens = {{1, 2, 3}, {1, 2 + linker, 3 + linker}};
  return batch;
}

// Element [t, c] of a tensor of tokens is t + c / 8, which float16 holds exactly.
at::Tensor by_token(std::int64_t columns) {
  return at::arange(40).to(at::kFloat).unsqueeze(1) + at::arange(columns).to(at::kFloat) / 8;
}

// Element [i, j] of a map of pairs is i + j / 64.
at::Tensor by_pair(std::int64_t tokens) {
  return at::arange(tokens).to(at::kFloat).unsqueeze(1) + at::arange(tokens).to(at::kFloat) / 64;
}

Esm2Output some_output(std::int64_t columns = width) {
  Esm2Output output;
  output.hidden = {by_token(columns), by_token(columns) + 100};
  output.logits = by_token(vocabulary);
  output.contacts = {by_pair(3), by_pair(28)};
  return output;
}

ResultLayout everything(DType type) {
  ResultLayout layout;
  layout.layers = {0, 6};
  layout.per_residue = layout.mean = layout.bos = layout.logits = layout.contacts = true;
  layout.width = width;
  layout.depth = 6;
  layout.dtype = type;
  layout.alphabet = {"A", "C"};
  return layout;
}

const std::vector<std::int64_t> letters{4, 1};

std::vector<float> floats(const std::vector<std::byte>& bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

std::vector<SequenceResult> collect(const Esm2Output& output, DType type = DType::float32) {
  return collect_results(two_sequences(), output, everything(type), letters)();
}

std::vector<float> rows_at(const std::vector<std::int64_t>& tokens, const std::vector<std::int64_t>& columns,
                           float plus) {
  std::vector<float> values;
  for (const std::int64_t token : tokens) {
    for (const std::int64_t column : columns) {
      values.push_back(static_cast<float>(token) + static_cast<float>(column) / 8 + plus);
    }
  }
  return values;
}

TEST(CollectResults, KeepsResiduesAndDropsBeginEndAndLinkerTokens) {
  const auto results = collect(some_output());
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0].row, 40);
  EXPECT_EQ(results[1].row, 7);
  for (int layer = 0; layer < 2; ++layer) {
    const float plus = layer == 0 ? 0 : 100;
    EXPECT_EQ(floats(results[0].layers[layer].per_residue), rows_at({1, 2, 3}, {0, 1, 2}, plus));
    EXPECT_EQ(floats(results[1].layers[layer].per_residue), rows_at({6, 32, 33}, {0, 1, 2}, plus));
  }
}

TEST(CollectResults, TheMeanIsThatOfTheRows) {
  for (const SequenceResult& result : collect(some_output())) {
    for (const LayerResult& layer : result.layers) {
      const std::vector<float> rows = floats(layer.per_residue);
      const std::vector<float> mean = floats(layer.mean);
      ASSERT_EQ(mean.size(), 3U);
      for (int c = 0; c < 3; ++c) {
        EXPECT_EQ(mean[c], static_cast<float>((double{rows[c]} + rows[3 + c] + rows[6 + c]) / 3));
      }
    }
  }
}

TEST(CollectResults, TheBeginTokenIsTheFirstOfEachSequence) {
  const auto results = collect(some_output());
  EXPECT_EQ(floats(results[0].layers[0].bos), rows_at({0}, {0, 1, 2}, 0));
  EXPECT_EQ(floats(results[1].layers[1].bos), rows_at({5}, {0, 1, 2}, 100));
}

TEST(CollectResults, LogitsHaveTheLettersOfTheAlphabetInItsOrder) {
  const auto results = collect(some_output());
  EXPECT_EQ(floats(results[0].logits), rows_at({1, 2, 3}, letters, 0));
  EXPECT_EQ(floats(results[1].logits), rows_at({6, 32, 33}, letters, 0));
}

TEST(CollectResults, ContactsAreBetweenResidues) {
  const auto results = collect(some_output());
  const auto expected = [](const std::vector<std::int64_t>& kept) {
    std::vector<float> values;
    for (const std::int64_t i : kept) {
      for (const std::int64_t j : kept) values.push_back(static_cast<float>(i) + static_cast<float>(j) / 64);
    }
    return values;
  };
  EXPECT_EQ(floats(results[0].contacts), expected({0, 1, 2}));
  EXPECT_EQ(floats(results[1].contacts), expected({0, 26, 27}));
}

TEST(CollectResults, AttentionsAreBetweenResiduesWithTheHeadsOfAPairSideBySide) {
  ResultLayout layout;
  layout.attention_layers = {1, 6};
  layout.heads = 2;
  layout.depth = 6;
  layout.dtype = DType::float32;
  Esm2Output output;
  // Element [h, i, j] is that of the pair, and 1,000 more in the second head; 10,000 more in the second layer.
  for (const double plus : {0.0, 10'000.0}) {
    std::vector<at::Tensor> maps;
    for (const std::int64_t tokens : {3, 28})
      maps.push_back(at::stack({by_pair(tokens), by_pair(tokens) + 1'000}) + plus);
    output.attentions.push_back(std::move(maps));
  }
  const auto results = collect_results(two_sequences(), output, layout, letters)();
  const auto expected = [](const std::vector<std::int64_t>& kept, float plus) {
    std::vector<float> values;
    for (const std::int64_t i : kept) {
      for (const std::int64_t j : kept) {
        for (const float head : {0.F, 1'000.F}) {
          values.push_back(static_cast<float>(i) + static_cast<float>(j) / 64 + head + plus);
        }
      }
    }
    return values;
  };
  EXPECT_EQ(floats(results[0].extra.at("/attentions/layer_01")), expected({0, 1, 2}, 0));
  EXPECT_EQ(floats(results[1].extra.at("/attentions/layer_06")), expected({0, 26, 27}, 10'000));
  output.attentions[1][1][1][27][0] = std::numeric_limits<float>::quiet_NaN();
  const auto spoilt = collect_results(two_sequences(), output, layout, letters)();
  EXPECT_FALSE(spoilt[0].failed);
  EXPECT_EQ(spoilt[1].message, "attention of layer 6 holds NaN or infinity");
}

TEST(CollectResults, GivesOnlyWhatTheLayoutAsksFor) {
  ResultLayout layout = everything(DType::float32);
  layout.per_residue = layout.bos = layout.logits = layout.contacts = false;
  for (const SequenceResult& result : collect_results(two_sequences(), some_output(), layout, letters)()) {
    EXPECT_THAT(result.layers[0].per_residue, IsEmpty());
    EXPECT_EQ(result.layers[0].mean.size(), width * sizeof(float));
    EXPECT_THAT(result.layers[0].bos, IsEmpty());
    EXPECT_THAT(result.logits, IsEmpty());
    EXPECT_THAT(result.contacts, IsEmpty());
  }
}

TEST(CollectResults, Float16HalvesTheBytes) {
  const auto half = collect(some_output(), DType::float16);
  const auto whole = collect(some_output(), DType::float32);
  for (int s = 0; s < 2; ++s) {
    EXPECT_FALSE(half[s].failed);
    EXPECT_EQ(2 * half[s].layers[0].per_residue.size(), whole[s].layers[0].per_residue.size());
    EXPECT_EQ(2 * half[s].contacts.size(), whole[s].contacts.size());
  }
}

TEST(CollectResults, WhatFloat16CannotHoldFailsItsSequenceAlone) {
  Esm2Output output = some_output();
  output.hidden[1][2][1] = 70'000;  // a residue of the first sequence
  const auto results = collect(output, DType::float16);
  EXPECT_TRUE(results[0].failed);
  EXPECT_EQ(results[0].error_code, "float16_overflow");
  EXPECT_THAT(results[0].message, HasSubstr("layer 6 reaches 70000"));
  EXPECT_THAT(results[0].message, HasSubstr("tasks.embeddings.dtype"));
  EXPECT_THAT(results[0].layers, IsEmpty());
  EXPECT_THAT(results[0].logits, IsEmpty());
  EXPECT_THAT(results[0].contacts, IsEmpty());
  EXPECT_FALSE(results[1].failed);
  EXPECT_EQ(results[1].layers[1].per_residue, collect(some_output(), DType::float16)[1].layers[1].per_residue);
  EXPECT_FALSE(collect(output, DType::float32)[0].failed);
}

TEST(CollectResults, TheLargestNumberOfFloat16Fits) {
  Esm2Output output = some_output();
  output.hidden[0][1][0] = -65'504;
  EXPECT_FALSE(collect(output, DType::float16)[0].failed);
}

// Where something that is not a number may turn up, in the second sequence.
struct Place {
  const char* name;
  at::Tensor (*of)(Esm2Output&);
  const char* told;
};

class NotFinite : public testing::TestWithParam<std::tuple<Place, float, DType>> {};

TEST_P(NotFinite, FailsItsSequenceAlone) {
  const auto& [place, value, type] = GetParam();
  Esm2Output output = some_output();
  place.of(output).fill_(value);
  const auto results = collect(output, type);
  EXPECT_FALSE(results[0].failed);
  EXPECT_TRUE(results[1].failed);
  EXPECT_EQ(results[1].error_code, "not_finite");
  EXPECT_EQ(results[1].message, std::string(place.told) + " holds NaN or infinity");
}

INSTANTIATE_TEST_SUITE_P(
    Places, NotFinite,
    testing::Combine(
        testing::Values(Place{"residue", [](Esm2Output& output) { return output.hidden[1][33][2]; }, "layer 6"},
                        Place{"begin", [](Esm2Output& output) { return output.hidden[0][5][0]; }, "layer 0"},
                        Place{"logits", [](Esm2Output& output) { return output.logits[6][4]; }, "logits"},
                        Place{"contacts", [](Esm2Output& output) { return output.contacts[1][0][27]; }, "contacts"}),
        testing::Values(std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()),
        testing::Values(DType::float16, DType::float32)),
    [](const auto& tested) {
      return std::string(std::get<0>(tested.param).name) +
             (std::isnan(std::get<1>(tested.param)) ? "Nan" : "Infinity") +
             std::string(name_of(std::get<2>(tested.param)));
    });

TEST(CollectResults, TheRecordSaysWhatWasWrongFirst) {
  Esm2Output output = some_output();
  output.hidden[0][2][1] = 70'000;
  output.hidden[1][2][1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(collect(output, DType::float16)[0].message, HasSubstr("layer 0 reaches 70000"));
  EXPECT_EQ(collect(output, DType::float32)[0].message, "layer 6 holds NaN or infinity");
}

// What a GPU is asked for after the results, in memory that the batch has given back, does not change them.
TEST(CollectResults, OnCudaTheyAreTheSameWhateverTheDeviceDoesNext) {
  const at::Device gpu(at::kCUDA);
  PLEAT_SKIP_WITHOUT(gpu);
  for (const auto& [type, columns] : std::vector<std::pair<DType, std::int64_t>>{
           {DType::float16, width}, {DType::float32, width}, {DType::float16, 320}, {DType::float32, 320}}) {
    Esm2Output output = some_output(columns);  // our kernels have rows of 320
    for (at::Tensor& hidden : output.hidden) hidden = hidden.to(gpu);
    output.logits = output.logits.to(gpu);
    for (at::Tensor& contacts : output.contacts) contacts = contacts.to(gpu);
    const Pending pending = collect_results(two_sequences(), std::move(output), everything(type), letters);
    for (int i = 0; i < 100; ++i) static_cast<void>(at::full({40, columns}, -1, at::TensorOptions(gpu)));
    const std::vector<SequenceResult> results = pending();
    const std::vector<SequenceResult> expected = collect(some_output(columns), type);
    ASSERT_EQ(results.size(), expected.size());
    for (std::size_t s = 0; s < expected.size(); ++s) {
      EXPECT_EQ(results[s].logits, expected[s].logits);
      EXPECT_EQ(results[s].contacts, expected[s].contacts);
      for (std::size_t i = 0; i < expected[s].layers.size(); ++i) {
        EXPECT_EQ(results[s].layers[i].per_residue, expected[s].layers[i].per_residue);
        EXPECT_EQ(results[s].layers[i].mean, expected[s].layers[i].mean);
        EXPECT_EQ(results[s].layers[i].bos, expected[s].layers[i].bos);
      }
    }
  }
}

TEST(CollectResults, WhatNobodyKeepsHarmsNobody) {
  Esm2Output output = some_output();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (at::Tensor& hidden : output.hidden) {
    hidden[4].fill_(nan);               // an end token
    hidden.slice(0, 7, 32).fill_(nan);  // the linker
    hidden.slice(0, 34).fill_(nan);     // an end token and the tail
  }
  output.logits.select(1, 0).fill_(nan);  // a token that is no letter
  for (const SequenceResult& result : collect(output)) EXPECT_FALSE(result.failed) << result.message;
}

}  // namespace
}  // namespace pleat
