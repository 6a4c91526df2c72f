// The attention maps that pleat keeps, against those of transformers.

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cuda_row.h"
#include "esm2/model.h"
#include "esm2/tokenizer.h"
#include "golden.h"
#include "tensor/host.h"
#include "test_data.h"

namespace pleat {
namespace {

struct Row {
  const char* name;
  Place place;
  double bound;  // of the difference, relative to the largest value
};

class AttentionParity : public testing::TestWithParam<Row> {};

at::Tensor tensor_named(const Checkpoint& golden, const std::string& name) {
  const TensorView& view = golden.tensors().at(name);
  return tensor_from(view, scalar_type(view.dtype));
}

TEST_P(AttentionParity, MapsOfEveryLayerEqualTransformers) {
  const auto& [name, place, bound] = GetParam();
  const at::Device device = device_of(place);
  PLEAT_SKIP_WITHOUT(device);
  const AtPlace at_place(place);
  const Golden golden = load_golden(name);
  const Checkpoint expected = Checkpoint::open(test_data() / "attentions" / name);
  const Esm2Config config = load_model_config(golden.folder).language_model;
  const Esm2 model(Checkpoint::open(golden.folder), config, at::kFloat, {}, {}, device);
  std::vector<std::string> sequences;
  std::vector<std::int64_t> rows;
  for (const GoldenSequence& sequence : golden.sequences) {
    rows.push_back(static_cast<std::int64_t>(sequences.size()));
    sequences.push_back(sequence.residues);
  }
  Esm2Request request;
  for (std::int64_t layer = 1; layer <= config.num_hidden_layers; ++layer) request.attentions.push_back(layer);
  const PackedBatch batch = Tokenizer(config).pack(table_of(sequences), rows);
  const Esm2Output output = model.forward(batch, request);
  ASSERT_EQ(output.attentions.size(), request.attentions.size());
  for (std::int64_t s = 0; s < batch.size(); ++s) {
    const at::Tensor residues = tensor_named(expected, fmt::format("{}.residues", batch.rows[s]));
    for (const std::int64_t layer : request.attentions) {
      SCOPED_TRACE(testing::Message() << "sequence " << s << ", layer " << layer);
      const at::Tensor golden_maps = tensor_named(expected, fmt::format("{}.attention.{:02}", batch.rows[s], layer));
      const at::Tensor maps = output.attentions[layer - 1][s].cpu();
      ASSERT_EQ(maps.size(0), config.num_attention_heads);
      ASSERT_EQ(maps.size(1), std::ssize(golden.sequences[batch.rows[s]].residues));
      const at::Tensor kept = maps.index_select(1, residues).index_select(2, residues);
      ASSERT_EQ(kept.sizes(), golden_maps.sizes());
      EXPECT_LE((kept - golden_maps).abs().max().item<double>() / golden_maps.max().item<double>(), bound);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Esm2, AttentionParity,
                         testing::Values(Row{"head16", Place::cpu, 2e-5}, Row{"head32_hub", Place::cpu, 2e-5},
                                         Row{"head16", Place::general, 2e-5}, Row{"head32_hub", Place::general, 2e-5},
                                         Row{"head16", Place::cuda, 1e-4}, Row{"head32_hub", Place::cuda, 1e-4}),
                         [](const auto& tested) {
                           return std::string(tested.param.name) + "_" + name_of(tested.param.place);
                         });

}  // namespace
}  // namespace pleat
