// The structure module: against what transformers computes from the same states, and under motions of the whole.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "esmfold/residue_constants.h"
#include "esmfold/structure_module.h"
#include "ops/compare.h"
#include "ops/rigid_motion.h"
#include "random_checkpoint.h"
#include "seeded_model.h"
#include "tensor/host.h"
#include "test_data.h"
#include "weights/config.h"

namespace pleat {
namespace {

double largest(const at::Tensor& x) { return x.abs().max().item<double>(); }

// A traced case of the golden data: the trunk's states of one pass go in, everything that follows is known.
struct TracedPass {
  std::string folder;
  std::string number;  // of the case
  std::int64_t pass = 0;
  bool last = false;
};

std::vector<TracedPass> traced_passes() {
  std::vector<TracedPass> found;
  for (const auto& folder : std::filesystem::directory_iterator(test_data() / "esmfold")) {
    if (!folder.is_directory()) continue;
    const Checkpoint golden = Checkpoint::open(folder.path() / "golden");
    for (const auto& [name, view] : golden.tensors()) {
      const std::size_t trace = name.find(".trace.pass.");
      if (trace == std::string::npos || !name.ends_with(".z")) continue;
      const std::string prefix = name.substr(0, name.size() - 1);
      found.push_back({folder.path().filename().string(), name.substr(0, trace), std::stoll(name.substr(trace + 12)),
                       golden.tensors().contains(prefix + "structure.angles")});
    }
  }
  return found;
}

class GoldenPass {
 public:
  explicit GoldenPass(const TracedPass& pass)
      : pass_(pass),
        folder_(test_data() / "esmfold" / pass.folder),
        golden_(Checkpoint::open(folder_ / "golden")),
        checkpoint_(Checkpoint::open(golden_model_folder(folder_))),
        config_(load_model_config(folder_).fold.value()) {}

  [[nodiscard]] at::Tensor tensor(const std::string& name) const {
    const TensorView& view = golden_.tensors().at(pass_.number + "." + name);
    return tensor_from(view, scalar_type(view.dtype));
  }
  [[nodiscard]] at::Tensor trace(const std::string& name) const {
    return tensor("trace.pass." + std::to_string(pass_.pass) + "." + name);
  }
  [[nodiscard]] Loader loader() const { return {checkpoint_, at::kFloat}; }
  [[nodiscard]] const StructureModuleConfig& config() const { return config_.trunk.structure_module; }

 private:
  TracedPass pass_;
  std::filesystem::path folder_;
  Checkpoint golden_;
  Checkpoint checkpoint_;
  FoldConfig config_;
};

class StructureOfPass : public testing::TestWithParam<TracedPass> {};

TEST_P(StructureOfPass, EqualsTheReference) {
  const GoldenPass golden(GetParam());
  const Loader loader = golden.loader();
  const at::Tensor z = golden.trace("z");
  const at::Tensor single = loader.linear("trunk.trunk2sm_s")(golden.trace("s"));
  const at::Tensor pair = loader.linear("trunk.trunk2sm_z")(z.view({-1, z.size(2)})).view({z.size(0), z.size(1), -1});
  const StructureModule module(loader, golden.config());

  std::int64_t heard = 0;
  const FoldTrace compare = [&](std::string_view name, const at::Tensor& value) {
    ++heard;
    const at::Tensor expected = golden.trace(std::string(name));
    ASSERT_EQ(value.sizes(), expected.sizes()) << name;
    EXPECT_LT(relative_error(value, expected), 1e-5) << name;
  };
  const BackboneState state = module.fold_backbone(single, pair, compare);
  EXPECT_EQ(heard, 1 + 3 * golden.config().num_blocks);

  const at::Tensor aatype = golden.tensor("aatype");
  const at::Tensor backbone = module.backbone_positions(state, aatype);
  if (!GetParam().last) {
    EXPECT_TRUE(at::equal(recycle_bins(squared_distances(beta_positions(backbone))), golden.trace("recycle_bins")));
    return;
  }
  const Atoms atoms = module.place_atoms(state, aatype, compare);
  EXPECT_EQ(heard, 4 + 3 * golden.config().num_blocks);
  const at::Tensor residues = golden.tensor("residues");
  EXPECT_LT(relative_error(atoms.positions.index_select(0, residues), golden.tensor("positions")), 1e-5);
  EXPECT_LT(relative_error(atoms.angles.index_select(0, residues), golden.tensor("angles")), 1e-5);
  EXPECT_LT(largest(backbone - atoms.positions.slice(1, 0, 3)), 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Golden, StructureOfPass, testing::ValuesIn(traced_passes()), [](const auto& pass) {
  return pass.param.folder + "_" + pass.param.number + "_pass_" + std::to_string(pass.param.pass);
});

TEST(StructureModule, GoldenDataHoldsPassesThatAreRecycledAndLastOnes) {
  std::map<bool, int> kinds;
  for (const TracedPass& pass : traced_passes()) ++kinds[pass.last];
  EXPECT_GE(kinds[false], 2);
  EXPECT_GE(kinds[true], 2);
}

// A small module and random inputs for it.
struct Sample {
  explicit Sample(std::int64_t positions, std::uint64_t seed = 21)
      : config(small_fold_config()),
        checkpoint(config, seed),
        module(checkpoint.loader(), config.trunk.structure_module),
        single(at::randn({positions, config.trunk.structure_module.sequence_dim})),
        pair(at::randn({positions, positions, config.trunk.structure_module.pairwise_dim}) * 2 + 1),
        aatype(random_aatype(positions)) {}

  FoldConfig config;
  RandomCheckpoint checkpoint;
  StructureModule module;
  at::Tensor single;
  at::Tensor pair;
  at::Tensor aatype;
};

TEST(StructureModule, NormalisesThePairOnceForAllBlocks) {
  for (const std::int64_t positions : {1, 3, 40, 70}) {
    Sample sample(positions);
    const at::Tensor expected = sample.checkpoint.norm("trunk.structure_module.layer_norm_z", sample.pair);
    const at::Tensor bias = sample.module.normalise_pair(sample.pair);
    EXPECT_LT(largest(sample.pair - expected), 2e-6);
    const at::Tensor projected = sample.checkpoint.linear("trunk.structure_module.ipa.linear_b", expected);
    EXPECT_LT(largest(bias - std::sqrt(1.0 / 3) * projected.permute({2, 0, 1})), 2e-6);
  }
}

// Attention by points does not see where the whole structure lies, so its result stays and everything that follows
// moves along: frames by the next test, atoms by the one after.
TEST(StructureModule, AttentionIsInvariantUnderMotionsOfAllFrames) {
  for (const std::int64_t positions : {1, 2, 9, 37}) {
    Sample sample(positions);
    const at::Tensor bias = sample.module.normalise_pair(sample.pair);
    const Rigid frames = random_rigid(positions, 1);
    const auto attend = [&](const Rigid& at_frames) {
      return sample.module.invariant_point_attention(sample.single, at_frames, sample.pair, bias);
    };
    const at::Tensor still = attend(frames);
    EXPECT_LT(relative_error(attend(RigidMotion()(frames)), still), 2e-5);
    // Frames that move one by one do change it: the test above can fail.
    if (positions > 1) {
      EXPECT_GT(relative_error(attend(random_rigid(positions, 1)), still), 1e-2);
    }
  }
}

TEST(StructureModule, UpdatesMoveAlongWithTheFrames) {
  at::manual_seed(22);
  const RigidMotion motion;
  const Rigid frames = random_rigid(12);
  const at::Tensor update = at::randn({12, 6});
  const Rigid moved_first = motion(frames).composed_with(update);
  const Rigid moved_last = motion(frames.composed_with(update));
  EXPECT_LT(largest(moved_first.rotations - moved_last.rotations), 2e-6);
  EXPECT_LT(largest(moved_first.translations - moved_last.translations), 2e-5);
}

TEST(StructureModule, AtomsMoveAlongWithTheFrames) {
  Sample sample(23);
  const BackboneState state = sample.module.fold_backbone(sample.single, sample.pair);
  const RigidMotion motion(0.7);
  BackboneState moved = state;
  moved.frames = motion(state.frames);
  const Atoms before = sample.module.place_atoms(state, sample.aatype);
  const Atoms after = sample.module.place_atoms(moved, sample.aatype);
  EXPECT_TRUE(at::equal(before.angles, after.angles));
  const double scale = sample.config.trunk.structure_module.trans_scale_factor;
  const at::Tensor exists = (before.positions.abs().sum(-1, true) > 0).to(at::kFloat);
  const at::Tensor expected = scale * motion(before.positions / scale) * exists;
  EXPECT_LT(relative_error(after.positions, expected), 2e-6);
}

TEST(StructureModule, PlacesBackbonesWithIdealBonds) {
  Sample sample(64);
  const BackboneState state = sample.module.fold_backbone(sample.single, sample.pair);
  const at::Tensor atoms = sample.module.place_atoms(state, sample.aatype).positions;
  const at::Tensor n_ca = at::linalg_vector_norm(atoms.select(1, 1) - atoms.select(1, 0), 2, -1);
  const at::Tensor ca_c = at::linalg_vector_norm(atoms.select(1, 2) - atoms.select(1, 1), 2, -1);
  for (std::int64_t i = 0; i < 64; ++i) {
    const auto& ideal = residue_constants().positions[static_cast<std::size_t>(sample.aatype[i].item<std::int64_t>())];
    EXPECT_NEAR(n_ca[i].item<double>(), std::hypot(ideal[0][0], ideal[0][1], ideal[0][2]), 1e-3);
    EXPECT_NEAR(ca_c[i].item<double>(), std::hypot(ideal[2][0], ideal[2][1], ideal[2][2]), 1e-3);
  }
  EXPECT_LT(largest(sample.module.backbone_positions(state, sample.aatype) - atoms.slice(1, 0, 3)), 1e-4);
}

TEST(StructureModule, GivesAnUnknownResidueNoAtoms) {
  Sample sample(6);
  sample.aatype[2] = aatype_unknown;
  const BackboneState state = sample.module.fold_backbone(sample.single, sample.pair);
  const at::Tensor atoms = sample.module.place_atoms(state, sample.aatype).positions;
  EXPECT_EQ(largest(atoms[2]), 0);
  EXPECT_GT(largest(atoms[3]), 0);
  EXPECT_EQ(largest(sample.module.backbone_positions(state, sample.aatype)[2]), 0);
}

TEST(StructureModule, FoldsASinglePosition) {
  Sample sample(1);
  const BackboneState state = sample.module.fold_backbone(sample.single, sample.pair);
  const Atoms atoms = sample.module.place_atoms(state, sample.aatype);
  EXPECT_EQ(atoms.positions.sizes(), (std::vector<std::int64_t>{1, 14, 3}));
  EXPECT_TRUE(atoms.positions.isfinite().all().item<bool>());
  EXPECT_LT(largest(atoms.angles.square().sum(-1) - 1), 1e-5);
}

TEST(StructureModule, LeavesItsInputsBesideThePairAlone) {
  Sample sample(20);
  const at::Tensor single = sample.single.clone();
  const BackboneState once = sample.module.fold_backbone(sample.single, sample.pair.clone());
  EXPECT_TRUE(at::equal(sample.single, single));
  const BackboneState twice = sample.module.fold_backbone(sample.single, sample.pair.clone());
  EXPECT_TRUE(at::equal(once.single, twice.single));
  EXPECT_TRUE(at::equal(once.frames.to_tensor_7(), twice.frames.to_tensor_7()));
}

}  // namespace
}  // namespace pleat
