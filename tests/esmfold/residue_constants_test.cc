#include "esmfold/residue_constants.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>

namespace pleat {
namespace {

double distance(const Position& a, const Position& b) { return std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]); }

TEST(ResidueConstants, NumberLettersInAlphaFoldsOrder) {
  EXPECT_EQ(aatype_of('A'), 0);
  EXPECT_EQ(aatype_of('G'), 7);
  EXPECT_EQ(aatype_of('V'), 19);
  for (const char letter : std::string("XBZUOJ*-.a ") + '\0') EXPECT_EQ(aatype_of(letter), aatype_unknown) << letter;
  for (std::size_t i = 0; i < residue_letters.size(); ++i) {
    EXPECT_EQ(aatype_of(residue_letters[i]), static_cast<std::int64_t>(i));
  }
}

TEST(ResidueConstants, NameEveryHeavyAtomOnce) {
  constexpr PerResidueType<std::size_t> heavy_atoms = {5, 11, 8,  8, 6, 9, 9,  4,  10, 8, 8,
                                                       9, 8,  11, 7, 6, 7, 14, 12, 7,  0};
  for (std::size_t type = 0; type < residue_type_count; ++type) {
    SCOPED_TRACE(residue_names[type]);
    std::set<std::string_view> names(atom14_names[type].begin(), atom14_names[type].end());
    names.erase("");
    EXPECT_EQ(names.size(), heavy_atoms[type]);
    for (std::size_t slot = 0; slot < atom14_count; ++slot) {
      EXPECT_EQ(atom14_names[type][slot].empty(), slot >= heavy_atoms[type]);  // no gaps
    }
    if (heavy_atoms[type] == 0) continue;
    EXPECT_EQ(atom14_names[type][0], "N");
    EXPECT_EQ(atom14_names[type][1], "CA");
    EXPECT_EQ(atom14_names[type][2], "C");
    EXPECT_EQ(atom14_names[type][3], "O");
  }
  EXPECT_EQ(std::set(atom37_names.begin(), atom37_names.end()).size(), atom37_count);
}

TEST(ResidueConstants, FindEachAtomAmongThe37Kinds) {
  const ResidueConstants& constants = residue_constants();
  for (std::size_t type = 0; type < residue_type_count; ++type) {
    for (std::size_t slot = 0; slot < atom14_count; ++slot) {
      const std::string_view name = atom14_names[type][slot];
      EXPECT_EQ(constants.atom14_mask[type][slot], name.empty() ? 0 : 1);
      const auto kind = static_cast<std::size_t>(constants.atom14_to_atom37[type][slot]);
      ASSERT_LT(kind, atom37_count);
      if (!name.empty()) {
        EXPECT_EQ(atom37_names[kind], name);
      } else {
        EXPECT_EQ(kind, 0U);
        EXPECT_EQ(constants.rigid_group[type][slot], 0);
        EXPECT_EQ(constants.positions[type][slot], Position{});
      }
    }
  }
}

TEST(ResidueConstants, PutTheBackboneWhereChemistryDoes) {
  const ResidueConstants& constants = residue_constants();
  for (std::size_t type = 0; type < 20; ++type) {
    SCOPED_TRACE(residue_names[type]);
    const auto& atoms = constants.positions[type];
    EXPECT_EQ(atoms[1], Position{});  // CA is the origin of the backbone's frame
    EXPECT_NEAR(distance(atoms[0], atoms[1]), 1.46, 0.01);
    EXPECT_NEAR(distance(atoms[1], atoms[2]), 1.525, 0.01);
    EXPECT_NEAR(distance(atoms[3], Position{}), 1.232, 0.01);  // O, in the frame of psi, whose origin is C
    if (residue_names[type] != "GLY") {
      EXPECT_NEAR(distance(atoms[1], atoms[4]), 1.53, 0.02);
    }
  }
}

TEST(ResidueConstants, MakeARotationOfEveryGroupThatExists) {
  constexpr PerResidueType<std::size_t> chi_angles = {0, 4, 2, 2, 1, 3, 3, 0, 2, 2, 2, 4, 3, 2, 2, 1, 1, 2, 2, 1, 0};
  for (std::size_t type = 0; type < residue_type_count; ++type) {
    SCOPED_TRACE(residue_names[type]);
    for (std::size_t group = 0; group < rigid_group_count; ++group) {
      const Transform& frame = residue_constants().default_frames[type][group];
      if (type == 20 || group >= 4 + chi_angles[type]) {
        EXPECT_EQ(frame, Transform{});
        continue;
      }
      for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t j = 0; j < 3; ++j) {
          double product = 0;
          for (std::size_t k = 0; k < 3; ++k) product += frame[k][i] * frame[k][j];
          EXPECT_NEAR(product, i == j ? 1 : 0, 1e-6);
        }
      }
      const double determinant = frame[0][0] * (frame[1][1] * frame[2][2] - frame[1][2] * frame[2][1]) -
                                 frame[0][1] * (frame[1][0] * frame[2][2] - frame[1][2] * frame[2][0]) +
                                 frame[0][2] * (frame[1][0] * frame[2][1] - frame[1][1] * frame[2][0]);
      EXPECT_NEAR(determinant, 1, 1e-6);
      EXPECT_EQ(frame[3], (std::array<float, 4>{0, 0, 0, 1}));
    }
  }
}

}  // namespace
}  // namespace pleat
