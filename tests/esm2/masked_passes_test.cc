// Masked copies give the bits of a plain forward pass over the copy alone, however many are computed together.

#include "esm2/masked_passes.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <random>

#include "cuda_row.h"
#include "golden.h"

namespace pleat {
namespace {

class Masked : public testing::TestWithParam<std::tuple<std::string, Place, at::ScalarType>> {};

// One copy of a sequence by itself, all of whose logits are kept.
std::vector<float> alone(const Esm2& model, const Tokenizer& tokenizer, std::span<const std::int64_t> tokens,
                         std::int64_t masked) {
  PackedBatch batch;
  batch.tokens.assign(tokens.begin(), tokens.end());
  batch.tokens[static_cast<std::size_t>(masked)] = tokenizer.mask();
  batch.cu_seqlens = {0, std::ssize(tokens)};
  batch.rows = {0};
  batch.masked = {masked};
  tokenizer.fill_up(batch);
  const at::Tensor row = model.forward(batch, {.layers = {}, .logits = true}).logits[masked].cpu().contiguous();
  return {row.const_data_ptr<float>(), row.const_data_ptr<float>() + row.numel()};
}

std::vector<std::vector<float>> together(const Esm2& model, const Tokenizer& tokenizer, const PackedBatch& batch,
                                         std::int64_t most_tokens) {
  std::vector<std::vector<float>> rows;
  std::vector<std::int64_t> order;
  MaskedPasses passes(model, tokenizer, most_tokens, [&](const MaskedCopy& copy, std::span<const float> logits) {
    order.push_back(copy.residue);
    rows.emplace_back(logits.begin(), logits.end());
  });
  for (std::int64_t s = 0; s < batch.size(); ++s) {
    const auto begin = static_cast<std::size_t>(batch.cu_seqlens[s]);
    const std::span tokens = std::span(batch.tokens).subspan(begin, batch.cu_seqlens[s + 1] - begin);
    for (const std::int64_t place : batch.residue_tokens[s]) passes.add({s, 0, place}, tokens, place);
  }
  passes.finish();
  std::vector<std::int64_t> added;
  for (const auto& places : batch.residue_tokens) added.insert(added.end(), places.begin(), places.end());
  EXPECT_EQ(order, added);
  return rows;
}

TEST_P(Masked, SameBitsAsAPassOverTheCopyAlone) {
  const auto& [name, place, type] = GetParam();
  const at::Device device = device_of(place);
  PLEAT_SKIP_WITHOUT(device);
  const AtPlace at_place(place);
  const c10::InferenceMode guard;
  const auto folder = load_golden(name).folder;
  const Esm2Config config = load_model_config(folder).language_model;
  const Esm2 model(Checkpoint::open(folder), config, type, {}, {}, device);
  const Tokenizer tokenizer(config);
  const SequenceTable table = table_of({"M", "MKTAYIAKQRXB", "ACDEFGHIKLMNPQRSTVWYACDEFGHIKLMNPQRSTVWY"});
  const PackedBatch batch = tokenizer.pack(table, {2, 0, 1});

  std::vector<std::vector<float>> expected;
  for (std::int64_t s = 0; s < batch.size(); ++s) {
    const auto begin = static_cast<std::size_t>(batch.cu_seqlens[s]);
    const std::span tokens = std::span(batch.tokens).subspan(begin, batch.cu_seqlens[s + 1] - begin);
    for (const std::int64_t masked : batch.residue_tokens[s]) {
      expected.push_back(alone(model, tokenizer, tokens, masked));
    }
  }
  ASSERT_EQ(expected.size(), 53);
  EXPECT_NE(expected[0], expected[1]);
  for (const std::int64_t most_tokens : {1, 50, 500, 100'000}) {
    EXPECT_EQ(together(model, tokenizer, batch, most_tokens), expected) << "at most " << most_tokens << " tokens";
  }
}

INSTANTIATE_TEST_SUITE_P(Esm2, Masked,
                         testing::Combine(testing::ValuesIn(golden_cases()),
                                          testing::Values(Place::cpu, Place::tiles, Place::cuda),
                                          testing::Values(at::kFloat, at::kBFloat16)),
                         [](const auto& tested) {
                           return std::get<0>(tested.param) + "_" + name_of(std::get<1>(tested.param)) + "_" +
                                  at::toString(std::get<2>(tested.param));
                         });

}  // namespace
}  // namespace pleat
