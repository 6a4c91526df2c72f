#include "runtime/structure_check.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

namespace pleat {
namespace {

using testing::HasSubstr;

constexpr std::size_t slots = 14;
constexpr std::size_t c_alpha = 1;

// A helix of residues with N, CA, C and O, and a confidence that is not the same everywhere.
struct Model {
  explicit Model(std::size_t residues, double pitch = 1.5)
      : positions(residues * slots * 3), atom_mask(residues * slots), plddt(residues * slots), chain(residues) {
    for (std::size_t i = 0; i < residues; ++i) {
      const double turn = static_cast<double>(i) * 100 * std::numbers::pi / 180;
      for (std::size_t slot = 0; slot < 4; ++slot) {
        atom_mask[i * slots + slot] = 1;
        plddt[i * slots + slot] = 50 + static_cast<float>(i % 7);
        float* const atom = &positions[(i * slots + slot) * 3];
        atom[0] = static_cast<float>(2.3 * std::cos(turn)) + static_cast<float>(slot);
        atom[1] = static_cast<float>(2.3 * std::sin(turn));
        atom[2] = static_cast<float>(pitch * static_cast<double>(i));
      }
    }
  }

  float& c_alpha_x(std::size_t residue) { return positions[(residue * slots + c_alpha) * 3]; }
  void remove_atoms(std::size_t residue) {
    for (std::size_t slot = 0; slot < slots; ++slot) {
      atom_mask[residue * slots + slot] = 0;
      plddt[residue * slots + slot] = 0;
      for (std::size_t d = 0; d < 3; ++d) positions[(residue * slots + slot) * 3 + d] = 0;
    }
  }
  [[nodiscard]] StructureVerdict verdict() const {
    return check_structure({positions, atom_mask, plddt, pae, chain, mean_plddt, ptm});
  }

  std::vector<float> positions;
  std::vector<std::uint8_t> atom_mask;
  std::vector<float> plddt;
  std::vector<float> pae;
  std::vector<std::uint16_t> chain;
  double mean_plddt = 53;
  double ptm = 0.97;
};

void expect_sound(const StructureVerdict& verdict) {
  EXPECT_TRUE(verdict.usable);
  EXPECT_EQ(verdict.code, std::nullopt);
  EXPECT_EQ(verdict.message, "");
}

void expect_suspicious(const StructureVerdict& verdict, const char* text) {
  EXPECT_TRUE(verdict.usable);
  EXPECT_EQ(verdict.code, RecordCode::suspicious_structure);
  EXPECT_THAT(verdict.message, HasSubstr(text));
}

TEST(CheckStructure, AHelixIsSound) {
  for (const std::size_t residues : {1U, 2U, 10U, 300U}) expect_sound(Model(residues).verdict());
}

class NotANumber : public testing::TestWithParam<float> {};

TEST_P(NotANumber, IsToldWhereverItIs) {
  const auto refused = [](const Model& model, const char* what) {
    const StructureVerdict verdict = model.verdict();
    EXPECT_FALSE(verdict.usable) << what;
    EXPECT_EQ(verdict.code, RecordCode::not_finite);
    EXPECT_EQ(verdict.message, std::string(what) + " holds NaN or infinity");
  };
  Model position(30);
  position.positions.back() = GetParam();
  refused(position, "structure");
  Model confidence(30);
  confidence.plddt[17 * slots + 2] = GetParam();
  refused(confidence, "pLDDT");
  Model mean(30);
  mean.mean_plddt = GetParam();
  refused(mean, "pLDDT");
  Model pae(3);
  pae.pae.assign(9, 1);
  expect_sound(pae.verdict());
  pae.pae[5] = GetParam();
  refused(pae, "PAE");
  Model ptm(30);
  ptm.ptm = GetParam();
  refused(ptm, "pTM");
}

INSTANTIATE_TEST_SUITE_P(Values, NotANumber,
                         testing::Values(std::numeric_limits<float>::quiet_NaN(),
                                         std::numeric_limits<float>::infinity(),
                                         -std::numeric_limits<float>::infinity()));

TEST(CheckStructure, WithoutAnyAtomTheMeanConfidenceIsNoNumber) {
  Model model(20);
  for (std::size_t i = 0; i < 20; ++i) model.remove_atoms(i);
  model.mean_plddt = std::numeric_limits<double>::quiet_NaN();
  expect_sound(model.verdict());
}

TEST(CheckStructure, ABrokenChainIsSuspiciousWhenItIsBelieved) {
  Model stretched(40, 12);  // about 12.5 ångström from one to the next
  expect_suspicious(stretched.verdict(), "39 of 39 neighbouring C-alpha atoms are not 2.5 to 5 ångström apart");
  expect_suspicious(stretched.verdict(), "pTM is 0.970");
  stretched.ptm = 0.95;
  expect_sound(stretched.verdict());
}

TEST(CheckStructure, ACollapsedChainIsSuspiciousToo) {
  Model collapsed(40);
  collapsed.positions.assign(collapsed.positions.size(), 0);
  expect_suspicious(collapsed.verdict(), "39 of 39");
}

TEST(CheckStructure, HalfOfTheStepsMayBeBroken) {
  Model model(21);  // 20 steps
  for (std::size_t i = 11; i <= 20; ++i) model.c_alpha_x(i) += 100 * static_cast<float>(i);
  expect_sound(model.verdict());  // 10 are broken
  model.c_alpha_x(10) += 1000;
  expect_suspicious(model.verdict(), "11 of 20");
}

TEST(CheckStructure, StepsBetweenChainsAndToResiduesWithoutAtomsDoNotCount) {
  Model chains(6);
  for (std::size_t i = 0; i < 6; ++i) {
    chains.chain[i] = static_cast<std::uint16_t>(i);
    chains.c_alpha_x(i) += 1000 * static_cast<float>(i);
  }
  expect_sound(chains.verdict());
  chains.chain.assign(6, 0);
  expect_suspicious(chains.verdict(), "5 of 5");
  chains.remove_atoms(1);
  chains.remove_atoms(4);
  expect_suspicious(chains.verdict(), "1 of 1");
  chains.remove_atoms(2);
  expect_sound(chains.verdict());
}

TEST(CheckStructure, OneConfidenceForAllIsSuspicious) {
  Model model(11);
  model.ptm = 0.2;
  for (std::size_t i = 0; i < model.plddt.size(); ++i) model.plddt[i] = model.atom_mask[i] != 0 ? 42.5F : 0;
  expect_suspicious(model.verdict(), "all 11 residues have the same pLDDT of 42.50");
  model.remove_atoms(3);
  expect_sound(model.verdict());  // ten residues say little
}

TEST(CheckStructure, ASmallSpreadOfConfidenceIsSound) {
  Model model(50);
  for (std::size_t i = 0; i < 50; ++i) model.plddt[i * slots + c_alpha] = 70 + (i == 20 ? 0.01F : 0);
  expect_sound(model.verdict());
}

}  // namespace
}  // namespace pleat
