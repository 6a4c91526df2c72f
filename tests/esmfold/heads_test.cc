// Confidence and the other heads, against plain formulas over whole tensors.
#include "esmfold/heads.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "esmfold/residue_constants.h"
#include "ops/compare.h"
#include "random_checkpoint.h"
#include "seeded_model.h"
#include "tensor/host.h"
#include "test_data.h"
#include "weights/config.h"

namespace pleat {
namespace {

double largest(const at::Tensor& x) { return x.abs().max().item<double>(); }

struct Sample {
  explicit Sample(std::int64_t positions)
      : config(small_fold_config()),
        checkpoint(config, 31),
        heads(checkpoint.loader()),
        state(at::randn({positions, config.trunk.structure_module.sequence_dim})),
        pair(at::randn({positions, positions, config.trunk.pairwise_state_dim}) * 2),
        aatype(random_aatype(positions)) {}

  FoldConfig config;
  RandomCheckpoint checkpoint;
  Heads heads;
  at::Tensor state;
  at::Tensor pair;
  at::Tensor aatype;
};

TEST(Heads, PlddtIsTheMeanOfItsBins) {
  Sample sample(30);
  sample.aatype[4] = aatype_unknown;
  at::Tensor x = sample.checkpoint.norm("lddt_head.0", sample.state);
  for (const char* layer : {"lddt_head.1", "lddt_head.2", "lddt_head.3"}) x = sample.checkpoint.linear(layer, x);
  const at::Tensor centers = (at::arange(50, at::kDouble) + 0.5) * 2;  // 1, 3, ... 99
  const at::Tensor by_kind = (x.to(at::kDouble).view({30, 37, 50}).softmax(-1) * centers).sum(-1);
  const at::Tensor actual = sample.heads.plddt(sample.state, sample.aatype);
  ASSERT_EQ(actual.sizes(), (std::vector<std::int64_t>{30, 14}));
  for (std::int64_t i = 0; i < 30; ++i) {
    const auto type = static_cast<std::size_t>(sample.aatype[i].item<std::int64_t>());
    for (std::int64_t slot = 0; slot < 14; ++slot) {
      const std::string_view name = atom14_names[type][static_cast<std::size_t>(slot)];
      const auto kind = std::ranges::find(atom37_names, name) - atom37_names.begin();
      const double expected = name.empty() ? 0 : by_kind[i][kind].item<double>();
      EXPECT_NEAR(actual[i][slot].item<double>(), expected, 1e-4);
    }
  }
  EXPECT_EQ(largest(actual[4]), 0);
}

// The error of a pair and the TM-score of the whole, in float64 and by their definitions.
struct Expected {
  at::Tensor pae;
  double ptm;
};

Expected expected_alignment(const Sample& sample) {
  const std::int64_t length = sample.pair.size(0);
  const at::Tensor probabilities = sample.checkpoint.linear("ptm_head", sample.pair).to(at::kDouble).softmax(-1);
  const at::Tensor centers = (at::arange(64, at::kDouble) + 0.5) * 0.5;  // 63 bounds from 0 to 31: half an ångström
  const double scale = 1.24 * std::cbrt(static_cast<double>(std::max<std::int64_t>(length, 19)) - 15) - 1.8;
  const at::Tensor terms = 1 / (1 + (centers / scale).square());
  return {(probabilities * centers).sum(-1), (probabilities * terms).sum(-1).mean(-1).max().item<double>()};
}

TEST(Heads, AlignmentEqualsTheFormula) {
  for (const std::int64_t positions : {1, 2, 5, 19, 41, 70}) {
    SCOPED_TRACE(positions);
    const Sample sample(positions);
    const Expected expected = expected_alignment(sample);
    const AlignmentConfidence actual = sample.heads.alignment(sample.pair, true);
    ASSERT_EQ(actual.pae.sizes(), expected.pae.sizes());
    EXPECT_LT(largest(actual.pae - expected.pae), 2e-5);
    EXPECT_NEAR(actual.ptm, expected.ptm, 1e-6);
    const AlignmentConfidence without = sample.heads.alignment(sample.pair, false);
    EXPECT_FALSE(without.pae.defined());
    EXPECT_EQ(without.ptm, actual.ptm);
  }
}

TEST(Heads, AlignmentHasTheSameBitsForEveryBlock) {
  const Sample sample(41);
  const AlignmentConfidence whole = sample.heads.alignment(sample.pair, true);
  for (const std::int64_t block : {8, 13, 64, 100, 500, 800}) {
    SCOPED_TRACE(block);
    const AlignmentConfidence in_blocks = sample.heads.alignment(sample.pair, true, nullptr, block);
    EXPECT_TRUE(at::equal(in_blocks.pae, whole.pae));
    EXPECT_EQ(in_blocks.ptm, whole.ptm);
  }
}

TEST(Heads, AlignmentOfAPairStateThatIsNotFiniteHasNoScore) {
  Sample sample(12);
  sample.pair[3][4][5] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(sample.heads.alignment(sample.pair, true).ptm));
}

TEST(Heads, DistogramIsTheMeanOfBothDirections) {
  for (const std::int64_t positions : {1, 2, 33}) {
    const Sample sample(positions);
    const at::Tensor logits = sample.checkpoint.linear("distogram_head", sample.pair);
    const at::Tensor actual = sample.heads.distogram_logits(sample.pair);
    EXPECT_LT(largest(actual - (logits + logits.transpose(0, 1)) / 2), 5e-6);
    EXPECT_TRUE(at::equal(actual, actual.transpose(0, 1)));
  }
}

TEST(Heads, DistancesFollowFromTheDistogram) {
  const at::Tensor bounds = at::linspace(2.3125, 21.6875, 63, at::kDouble);
  const double step = 0.3125;
  const at::Tensor centers = at::cat({bounds - step / 2, bounds.slice(0, 62) + step / 2});  // [64]
  for (const std::int64_t positions : {1, 2, 7, 8, 33}) {
    SCOPED_TRACE(positions);
    const Sample sample(positions);
    const at::Tensor expected = sample.heads.distogram_logits(sample.pair).to(at::kDouble).softmax(-1);
    const at::Tensor mean = (expected * centers).sum(-1);
    const at::Tensor variance = (expected * (centers - mean.unsqueeze(-1)).square()).sum(-1);
    const Distances actual = sample.heads.distances(sample.pair, true);
    EXPECT_LT(largest(actual.probabilities - expected), 1e-6);
    EXPECT_LT(largest(actual.mean - mean), 1e-4);
    EXPECT_LT(largest(actual.spread - variance.sqrt()), 1e-4);
    const Distances without = sample.heads.distances(sample.pair, false);
    EXPECT_FALSE(without.probabilities.defined());
    EXPECT_TRUE(at::equal(without.mean, actual.mean));
    EXPECT_TRUE(at::equal(without.spread, actual.spread));
  }
}

TEST(Heads, ResidueLogitsAreALinearLayer) {
  const Sample sample(9);
  const at::Tensor s = at::randn({9, sample.config.trunk.sequence_state_dim});
  const at::Tensor actual = sample.heads.lm_logits(s);
  ASSERT_EQ(actual.sizes(), (std::vector<std::int64_t>{9, 23}));
  EXPECT_LT(largest(actual - sample.checkpoint.linear("lm_head", s)), 5e-6);
}

// The last states of traced cases of the golden data, and what transformers makes of them.
TEST(Heads, EqualTheReference) {
  int compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(test_data() / "esmfold")) {
    if (!entry.is_directory()) continue;
    const std::filesystem::path& folder = entry.path();
    const Checkpoint golden = Checkpoint::open(folder / "golden");
    const Checkpoint checkpoint = Checkpoint::open(golden_model_folder(folder));
    const FoldConfig config = load_model_config(folder).fold.value();
    const Heads heads(Loader(checkpoint, at::kFloat));
    const auto tensor = [&](const std::string& key) {
      const TensorView& view = golden.tensors().at(key);
      return tensor_from(view, scalar_type(view.dtype));
    };
    for (const auto& [key, view] : golden.tensors()) {
      const std::size_t last = key.find("structure.angles");
      if (last == std::string::npos) continue;
      SCOPED_TRACE(key);
      ++compared;
      const std::string pass = key.substr(0, last);                 // "2.trace.pass.1."
      const std::string prefix = key.substr(0, key.find('.') + 1);  // "2."
      const at::Tensor residues = tensor(prefix + "residues");
      const auto of_residues = [&](const at::Tensor& x) { return x.index_select(0, residues); };
      const std::int64_t block = config.trunk.structure_module.num_blocks - 1;
      const at::Tensor state = tensor(pass + "structure." + std::to_string(block) + ".state");
      const at::Tensor z = tensor(pass + "z");
      EXPECT_LT(largest(of_residues(heads.plddt(state, tensor(prefix + "aatype"))) - tensor(prefix + "plddt")), 2e-4);
      const at::Tensor pae = heads.alignment(z, true).pae.index_select(1, residues);
      EXPECT_LT(largest(of_residues(pae) - tensor(prefix + "pae")), 2e-5);
      EXPECT_LT(largest(of_residues(heads.lm_logits(tensor(pass + "s"))) - tensor(prefix + "lm_logits")), 2e-5);
      if (!golden.tensors().contains(prefix + "distogram_logits")) continue;
      const at::Tensor distogram = heads.distogram_logits(z).index_select(1, residues);
      EXPECT_LT(largest(of_residues(distogram) - tensor(prefix + "distogram_logits")), 2e-5);
    }
  }
  EXPECT_GE(compared, 2) << "golden data is missing";
}

}  // namespace
}  // namespace pleat
