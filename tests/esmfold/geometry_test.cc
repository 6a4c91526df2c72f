#include "esmfold/geometry.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "esmfold/residue_constants.h"
#include "ops/compare.h"
#include "ops/rigid_motion.h"

namespace pleat {
namespace {

double largest(const at::Tensor& x) { return x.abs().max().item<double>(); }

at::Tensor every_aatype() { return at::arange(21, at::kLong); }

// [P, 7, 2], sines and cosines
at::Tensor random_angles(std::int64_t positions) {
  const at::Tensor angles = at::rand({positions, 7}) * 6.283185307;
  return at::stack({angles.sin(), angles.cos()}, -1);
}

TEST(Atoms, HaveIdealBondsWhateverTheAngles) {
  at::manual_seed(4);
  const at::Tensor aatype = every_aatype().repeat({3});
  const std::int64_t positions = aatype.size(0);
  const at::Tensor frames = torsion_angles_to_frames(random_rigid(positions), random_angles(positions), aatype);
  const at::Tensor atoms = frames_to_atom14(frames, aatype);
  const auto length = [&](std::int64_t i, std::int64_t a, std::int64_t b) {
    return (atoms[i][a] - atoms[i][b]).norm().item<double>();
  };
  const auto slot = [](std::size_t type, std::string_view name) {
    const auto& names = atom14_names[type];
    return std::ranges::find(names, name) - names.begin();
  };
  struct Bond {
    char residue;
    const char* from;
    const char* to;
    double length;  // ångström, from Engh and Huber 2001
  };
  // One bond across each kind of chi axis, so that a wrong frame cannot pass.
  const Bond bonds[] = {{'R', "CB", "CG", 1.52},   {'R', "CG", "CD", 1.52},  {'R', "CD", "NE", 1.46},
                        {'R', "NE", "CZ", 1.33},   {'R', "CZ", "NH1", 1.33}, {'K', "CE", "NZ", 1.49},
                        {'M', "SD", "CE", 1.77},   {'S', "CB", "OG", 1.42},  {'F', "CG", "CD1", 1.38},
                        {'W', "CD1", "NE1", 1.37}, {'Y', "CZ", "OH", 1.37},  {'V', "CB", "CG2", 1.52},
                        {'I', "CG1", "CD1", 1.51}, {'D', "CG", "OD2", 1.25}, {'H', "CG", "ND1", 1.38}};
  for (const Bond& bond : bonds) {
    const auto type = static_cast<std::size_t>(aatype_of(bond.residue));
    for (std::int64_t i = static_cast<std::int64_t>(type); i < positions; i += 21) {
      EXPECT_NEAR(length(i, slot(type, bond.from), slot(type, bond.to)), bond.length, 0.05)
          << bond.residue << ' ' << bond.from << ' ' << bond.to;
    }
  }
  for (std::int64_t i = 0; i < positions; ++i) {
    const std::int64_t type = aatype[i].item<std::int64_t>();
    if (type == aatype_unknown) continue;
    const auto& ideal = residue_constants().positions[static_cast<std::size_t>(type)];
    EXPECT_NEAR(length(i, 0, 1), std::hypot(ideal[0][0], ideal[0][1], ideal[0][2]), 1e-4);
    EXPECT_NEAR(length(i, 1, 2), std::hypot(ideal[2][0], ideal[2][1], ideal[2][2]), 1e-4);
    EXPECT_NEAR(length(i, 2, 3), std::hypot(ideal[3][0], ideal[3][1], ideal[3][2]), 1e-4);
  }
}

TEST(Atoms, ThatDoNotExistAreAtTheOrigin) {
  at::manual_seed(5);
  const at::Tensor aatype = every_aatype();
  const Rigid backbone = random_rigid(21);
  const at::Tensor atoms = frames_to_atom14(torsion_angles_to_frames(backbone, random_angles(21), aatype), aatype);
  for (std::int64_t type = 0; type < 21; ++type) {
    for (std::int64_t slot = 0; slot < 14; ++slot) {
      const bool exists = residue_constants().atom14_mask[type][slot] != 0;
      EXPECT_EQ(atoms[type][slot].abs().sum().item<double>() > 0, exists) << type << ' ' << slot;
    }
  }
  EXPECT_EQ(largest(backbone_atoms(backbone, aatype)[20]), 0);
}

TEST(Atoms, OfTheBackboneNeedNoAngles) {
  at::manual_seed(6);
  const at::Tensor aatype = every_aatype();
  const Rigid backbone = random_rigid(21);
  const at::Tensor atoms = frames_to_atom14(torsion_angles_to_frames(backbone, random_angles(21), aatype), aatype);
  EXPECT_LT(largest(backbone_atoms(backbone, aatype) - atoms.slice(1, 0, 3)), 1e-5);
}

TEST(Atoms, BeyondATorsionAloneMoveWithIt) {
  at::manual_seed(7);
  const at::Tensor aatype = at::full({7}, aatype_of('K'), at::kLong);
  const at::Tensor angles = random_angles(1).expand({7, 7, 2}).clone();
  for (std::int64_t i = 0; i < 7; ++i) angles[i][i] = random_angles(1)[0][0];  // row i: another angle i
  const Rigid backbone = Rigid::identity(7);
  const at::Tensor atoms = frames_to_atom14(torsion_angles_to_frames(backbone, angles, aatype), aatype);
  // N CA C O CB CG CD CE NZ: omega and phi move none of them, psi O, chi n what comes after its axis. Row 0 has the
  // angles that all share but omega.
  const std::vector<std::vector<std::int64_t>> moved = {{}, {}, {3}, {5, 6, 7, 8}, {6, 7, 8}, {7, 8}, {8}};
  for (std::int64_t i = 1; i < 7; ++i) {
    for (std::int64_t slot = 0; slot < 9; ++slot) {
      const bool expected = std::ranges::count(moved[static_cast<std::size_t>(i)], slot) != 0;
      EXPECT_EQ(largest(atoms[i][slot] - atoms[0][slot]) > 1e-5, expected) << "angle " << i << ", atom " << slot;
    }
  }
}

TEST(Atoms, MoveAlongWithTheBackbone) {
  at::manual_seed(8);
  const at::Tensor aatype = every_aatype().slice(0, 0, 20);
  const at::Tensor angles = random_angles(20);
  const Rigid backbone = random_rigid(20);
  const RigidMotion motion;
  const at::Tensor atoms = frames_to_atom14(torsion_angles_to_frames(backbone, angles, aatype), aatype);
  const at::Tensor moved = frames_to_atom14(torsion_angles_to_frames(motion(backbone), angles, aatype), aatype);
  const at::Tensor mask = (atoms.abs().sum(-1, true) > 0).to(at::kFloat);
  EXPECT_LT(largest(moved - motion(atoms) * mask), 5e-5);
}

TEST(Recycling, PlacesCBetaWhereTheResidueHasIt) {
  const at::Tensor aatype = every_aatype().slice(0, 0, 20);
  const at::Tensor atoms = frames_to_atom14(
      torsion_angles_to_frames(Rigid::identity(20), at::tensor({0.0F, 1.0F}).expand({20, 7, 2}), aatype), aatype);
  const at::Tensor beta = beta_positions(atoms.slice(1, 0, 3));
  for (std::int64_t type = 0; type < 20; ++type) {
    if (type == aatype_of('G') || type == aatype_of('P')) continue;  // none, and in a ring
    EXPECT_LT(largest(beta[type] - atoms[type][4]), 0.06) << residue_names[static_cast<std::size_t>(type)];
  }
}

TEST(Recycling, CountsTheBoundsThatADistanceExceeds) {
  // Bounds lie 18 / 13 ångström apart from 3.375 on.
  const at::Tensor distances =
      at::tensor({0.0, 3.374, 3.376, 3.375 + 18.0 / 13 - 1e-3, 3.375 + 18.0 / 13 + 1e-3, 12.0, 21.374, 21.376, 1e4});
  const at::Tensor expected = at::tensor({0, 0, 1, 1, 2, 7, 13, 14, 14}, at::kLong);
  EXPECT_TRUE(at::equal(recycle_bins(distances.square().to(at::kFloat).unsqueeze(0)).squeeze(0), expected));
  EXPECT_EQ(recycle_bins(at::full({1, 1}, 3.375F * 3.375F)).item<std::int64_t>(), 0);  // exceeds, not reaches
}

TEST(Recycling, DistancesLoseNoDigitsFarFromTheOrigin) {
  at::manual_seed(9);
  const at::Tensor grid = at::randint(-64, 64, {11, 3}, at::kFloat) / 8;
  const at::Tensor squared = squared_distances(grid);
  EXPECT_TRUE(at::equal(squared_distances(grid + 4096), squared));
  EXPECT_TRUE(
      at::equal(squared, at::cdist(grid.to(at::kDouble), grid.to(at::kDouble)).square().round(6).to(at::kFloat)));
  EXPECT_EQ(largest(squared.diagonal()), 0);
}

}  // namespace
}  // namespace pleat
