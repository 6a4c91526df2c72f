// One body for every device, type and model: what pleat computes against what transformers computes.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <numeric>

#include "cuda_row.h"
#include "esm2/model.h"
#include "esm2/tokenizer.h"
#include "golden.h"

namespace pleat {
namespace {

struct Precision {
  Place place;
  at::ScalarType type;
  // Allowed deviation, relative to the largest magnitude of the expected tensor: `absolute`, or `of_reference` times
  // the deviation of transformers' own run in that type, whichever is larger.
  double absolute;
  double of_reference;
};

// float32: the two programs add in different orders, and each is within 1e-6 (3e-6 for contacts) of exact arithmetic.
// bfloat16: pleat keeps the residual stream, norms and softmax in float32, which transformers does not, so it must not
// be further from float32 than transformers is; a half more allows for the luck of single roundings, and 0.4 % (one
// rounding to 8 bits) for the tensors in which transformers happens to round nothing. float16 has three bits more than
// bfloat16 and must be within the same. On CUDA float32 is without TF32; those rows' bounds are demands, not findings.
constexpr Precision precisions[] = {
    {Place::cpu, at::kFloat, 2e-5, 0},          {Place::cpu, at::kBFloat16, 4e-3, 1.5},
    {Place::tiles, at::kBFloat16, 4e-3, 1.5},   {Place::general, at::kFloat, 2e-5, 0},
    {Place::general, at::kBFloat16, 4e-3, 1.5}, {Place::cuda, at::kFloat, 1e-4, 0},
    {Place::cuda, at::kBFloat16, 4e-3, 1.5},    {Place::cuda, at::kHalf, 4e-3, 1.5},
};

class Parity : public testing::TestWithParam<std::tuple<std::string, Precision>> {};

// All sequences of a case packed into one batch, in an order that is not that of the file.
PackedBatch pack_all(const Golden& golden, const Tokenizer& tokenizer, const SequenceTable& table) {
  std::vector<std::int64_t> rows(golden.sequences.size());
  std::iota(rows.rbegin(), rows.rend(), 0);
  return tokenizer.pack(table, rows);
}

void expect_close(const at::Tensor& computed, const GoldenTensor& golden, const Precision& precision) {
  const at::Tensor actual = computed.cpu();
  ASSERT_EQ(actual.sizes(), golden.expected.sizes());
  const double scale = golden.expected.abs().max().item<double>();
  const double error = (actual - golden.expected).abs().max().item<double>() / scale;
  EXPECT_LE(error, std::max(precision.absolute, precision.of_reference * golden.bfloat16_deviation));
}

TEST_P(Parity, HiddenStatesLogitsAndContactsEqualTransformers) {
  const auto& [name, precision] = GetParam();
  const at::Device device = device_of(precision.place);
  PLEAT_SKIP_WITHOUT(device);
  const AtPlace place(precision.place);
  const Golden golden = load_golden(name);
  const Esm2Config config = load_model_config(golden.folder).language_model;
  const Checkpoint checkpoint = Checkpoint::open(golden.folder);
  const Esm2 model(checkpoint, config, precision.type, {}, {}, device);
  std::vector<std::string> sequences;
  for (const GoldenSequence& sequence : golden.sequences) sequences.push_back(sequence.residues);
  const SequenceTable table = table_of(sequences);
  const PackedBatch batch = pack_all(golden, Tokenizer(config), table);
  const Esm2Output output = model.forward(batch, {golden.layers, true, true});

  ASSERT_EQ(output.hidden.size(), golden.layers.size());
  for (std::int64_t s = 0; s < batch.size(); ++s) {
    const GoldenSequence& expected = golden.sequences[batch.rows[s]];
    SCOPED_TRACE(testing::Message() << "length " << expected.residues.size());
    const at::Tensor tokens = expected.tokens + batch.cu_seqlens[s];
    for (std::size_t i = 0; i < golden.layers.size(); ++i) {
      SCOPED_TRACE(testing::Message() << "layer " << golden.layers[i]);
      expect_close(output.hidden[i].index_select(0, tokens.to(device)), expected.hidden.at(golden.layers[i]),
                   precision);
    }
    SCOPED_TRACE("logits, then contacts");
    expect_close(output.logits.index_select(0, tokens.to(device)), expected.logits, precision);
    const at::Tensor residues = expected.contact_residues.to(device);
    expect_close(output.contacts[s].index_select(0, residues).index_select(1, residues), expected.contacts, precision);
  }
}

INSTANTIATE_TEST_SUITE_P(Esm2, Parity,
                         testing::Combine(testing::ValuesIn(golden_cases()), testing::ValuesIn(precisions)),
                         [](const auto& tested) {
                           const Precision& precision = std::get<1>(tested.param);
                           return std::get<0>(tested.param) + "_" + name_of(precision.place) + "_" +
                                  at::toString(precision.type);
                         });

}  // namespace
}  // namespace pleat
