// A result is bit for bit the same whatever else is in the batch, in whatever order.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "cuda_row.h"
#include "esm2/model.h"
#include "esm2/tokenizer.h"
#include "golden.h"

namespace pleat {
namespace {

struct PerSequence {
  std::vector<at::Tensor> hidden;
  at::Tensor logits;
  at::Tensor contacts;
  std::vector<at::Tensor> attentions;
};

class BatchIndependence : public testing::TestWithParam<std::tuple<std::string, Place, at::ScalarType>> {};

SequenceTable random_sequences(std::mt19937& random) {
  std::vector<std::string> sequences;
  for (const std::size_t length : {1, 2, 6, 7, 30, 31, 64, 101, 255, 256, 300}) {
    std::string residues;
    for (std::size_t i = 0; i < length; ++i) residues += "ACDEFGHIKLMNPQRSTVWYXBUZO"[random() % 25];
    sequences.push_back(residues);
  }
  return table_of(sequences);
}

void compute(const Esm2& model, const Tokenizer& tokenizer, const SequenceTable& table,
             const std::vector<std::int64_t>& rows, std::vector<PerSequence>& results) {
  // With contacts beside the maps of one layer and without.
  const Esm2Request request{{0, 1, model.config().num_hidden_layers}, true, true, {1}};
  const PackedBatch batch = tokenizer.pack(table, rows);
  const Esm2Output output = model.forward(batch, request);
  for (std::int64_t s = 0; s < batch.size(); ++s) {
    const auto cut = [&](const at::Tensor& x) { return x.slice(0, batch.cu_seqlens[s], batch.cu_seqlens[s + 1]); };
    PerSequence& result = results[batch.rows[s]];
    for (const at::Tensor& hidden : output.hidden) result.hidden.push_back(cut(hidden));
    result.logits = cut(output.logits);
    result.contacts = output.contacts[s];
    result.attentions = {output.attentions[0][s]};
  }
  Esm2Request maps_alone;
  maps_alone.attentions = {1, 2};
  const Esm2Output maps = model.forward(batch, maps_alone);
  for (std::int64_t s = 0; s < batch.size(); ++s) {
    PerSequence& result = results[batch.rows[s]];
    EXPECT_TRUE(at::equal(result.attentions[0], maps.attentions[0][s])) << "contacts change a map";
    result.attentions.push_back(maps.attentions[1][s]);
  }
}

TEST_P(BatchIndependence, SameBitsAloneInAnyOrderAndWithAnyBudget) {
  const auto& [name, place, type] = GetParam();
  const at::Device device = device_of(place);
  PLEAT_SKIP_WITHOUT(device);
  const AtPlace at_place(place);
  const auto folder = load_golden(name).folder;
  const Esm2Config config = load_model_config(folder).language_model;
  const Esm2 model(Checkpoint::open(folder), config, type, {}, {}, device);
  const Tokenizer tokenizer(config);
  std::mt19937 random(20);
  const SequenceTable table = random_sequences(random);
  const auto count = static_cast<std::size_t>(table.size());

  std::vector<PerSequence> alone(count);
  for (std::int64_t row = 0; row < table.size(); ++row) compute(model, tokenizer, table, {row}, alone);

  std::vector<std::int64_t> order(count);
  for (std::size_t i = 0; i < count; ++i) order[i] = static_cast<std::int64_t>(i);
  for (const std::size_t batch_size : {std::size_t{2}, std::size_t{5}, count}) {
    std::ranges::shuffle(order, random);
    std::vector<PerSequence> together(count);
    for (std::size_t i = 0; i < count; i += batch_size) {
      const auto first = order.begin() + static_cast<std::ptrdiff_t>(i);
      const auto last = order.begin() + static_cast<std::ptrdiff_t>(std::min(i + batch_size, count));
      compute(model, tokenizer, table, {first, last}, together);
    }
    for (std::size_t row = 0; row < count; ++row) {
      SCOPED_TRACE(testing::Message() << "row " << row << ", batches of " << batch_size);
      for (std::size_t i = 0; i < alone[row].hidden.size(); ++i) {
        EXPECT_TRUE(at::equal(alone[row].hidden[i], together[row].hidden[i])) << "hidden state " << i;
      }
      EXPECT_TRUE(at::equal(alone[row].logits, together[row].logits));
      EXPECT_TRUE(at::equal(alone[row].contacts, together[row].contacts));
      for (std::size_t i = 0; i < alone[row].attentions.size(); ++i) {
        EXPECT_TRUE(at::equal(alone[row].attentions[i], together[row].attentions[i])) << "attention " << i + 1;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Esm2, BatchIndependence,
                         testing::Combine(testing::ValuesIn(golden_cases()),
                                          testing::Values(Place::cpu, Place::tiles, Place::cuda),
                                          testing::Values(at::kFloat, at::kBFloat16)),
                         [](const auto& tested) {
                           return std::get<0>(tested.param) + "_" + name_of(std::get<1>(tested.param)) + "_" +
                                  at::toString(std::get<2>(tested.param));
                         });

}  // namespace
}  // namespace pleat
