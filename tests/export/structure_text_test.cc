// PDB and mmCIF as text; tests/cli/test_export.py reads the files with other programs' readers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "export_fixture.h"

namespace pleat {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

std::string many_chains(std::int64_t count, const std::string& chain) {
  std::string residues = chain;
  for (std::int64_t i = 1; i < count; ++i) residues += ":" + chain;
  return residues;
}

TEST(ChainNameTest, IsOneLetterFirstAndNeverTwiceTheSame) {
  EXPECT_EQ(chain_name(0), "A");
  EXPECT_EQ(chain_name(25), "Z");
  EXPECT_EQ(chain_name(26), "a");
  EXPECT_EQ(chain_name(51), "z");
  EXPECT_EQ(chain_name(52), "0");
  EXPECT_EQ(chain_name(61), "9");
  EXPECT_EQ(chain_name(62), "AA");
  EXPECT_EQ(chain_name(63), "AB");
  EXPECT_EQ(chain_name(62 + 26 * 26 - 1), "ZZ");
  EXPECT_EQ(chain_name(62 + 26 * 26), "AAA");
  std::set<std::string> seen;
  for (std::int64_t i = 0; i < 65536; ++i) EXPECT_TRUE(seen.insert(chain_name(i)).second) << i;
}

TEST(PdbTest, AtomsStandInTheirColumns) {
  Structure structure = example_structure("MW");
  structure.positions[0] = -1.2345F;
  structure.positions[1] = 123.4564F;
  structure.positions[2] = -0.0001F;
  structure.plddt[0] = 87.126F;
  const std::string text = pdb_text(structure, example_origin());
  const std::vector<std::string> atoms = lines_of(text, "ATOM");
  ASSERT_THAT(atoms, SizeIs(8 + 14));
  EXPECT_EQ(atoms[0], "ATOM      1  N   MET A   1      -1.235 123.456   0.000  1.00 87.13           N  ");
  EXPECT_EQ(atoms[21].substr(0, 26), "ATOM     22  CH2 TRP A   2");
  EXPECT_THAT(lines_of(text), Each(SizeIs(80)));
  EXPECT_THAT(lines_of(text, "TER"), ElementsAre(HasSubstr("TER      23      TRP A   2")));
  EXPECT_THAT(lines_of(text, "END"), SizeIs(1));
}

TEST(PdbTest, ChainsEndAndBeginAnew) {
  const std::string text = pdb_text(example_structure("AXG:XX:XSX"), example_origin());
  EXPECT_THAT(lines_of(text, "SEQRES"),
              ElementsAre(HasSubstr("SEQRES   1 A    3  ALA UNK GLY"), HasSubstr("SEQRES   1 B    2  UNK UNK"),
                          HasSubstr("SEQRES   1 C    3  UNK SER UNK")));
  const std::vector<std::string> atoms = lines_of(text, "ATOM");
  EXPECT_EQ(atoms[5].substr(12, 14), " N   GLY A   3");
  EXPECT_EQ(atoms[9].substr(12, 14), " N   SER C   2");
  EXPECT_THAT(text, Not(HasSubstr("UNK A   2")));
  const std::vector<std::string> ends = lines_of(text, "TER");
  ASSERT_THAT(ends, SizeIs(2));  // a chain without atoms has no end
  EXPECT_EQ(ends[0].substr(0, 26), "TER      10      GLY A   3");
  EXPECT_EQ(ends[1].substr(0, 26), "TER      17      SER C   2");
}

TEST(PdbTest, TheHeadSaysWhereItComesFrom) {
  Structure structure = example_structure("AC", "sp|P1|X");
  structure.description = "Some protein, \xc3\xa4 " + std::string(200, 'y') + " end";
  StructureOrigin origin = example_origin();
  const std::string text = pdb_text(structure, origin);
  EXPECT_THAT(lines_of(text, "TITLE"), SizeIs(4));
  EXPECT_THAT(lines_of(text, "TITLE")[0], HasSubstr("TITLE     sp|P1|X Some protein, ?"));
  EXPECT_THAT(lines_of(text, "TITLE")[1], HasSubstr("TITLE    2 y"));
  EXPECT_THAT(text, HasSubstr("REMARK   6 RECORD: sp|P1|X "));
  EXPECT_THAT(text, HasSubstr("REMARK   6 PROGRAM: pleat 1.2.3 "));
  EXPECT_THAT(text, HasSubstr("REMARK   6 MODEL: esmfold_v1 "));
  EXPECT_THAT(text, HasSubstr("REMARK   6 MEAN PLDDT: 51.25 "));
  EXPECT_THAT(text, HasSubstr("REMARK   6 PTM: 0.5156 "));
  EXPECT_THAT(text, Not(HasSubstr("UNTRAINED")));
  EXPECT_THAT(lines_of(text), Each(SizeIs(80)));
  origin.untrained_note = "The weights are pseudo-random.";
  EXPECT_THAT(pdb_text(structure, origin), HasSubstr("REMARK   6 UNTRAINED: The weights are pseudo-random."));
}

TEST(PdbTest, WhatItCannotHoldIsRefusedWithAHint) {
  const auto refusal = [](const Structure& structure) {
    const Error error = error_of([&] { (void)structure_text(structure, StructureFormat::pdb, example_origin()); });
    EXPECT_EQ(error.code(), ErrorCode::bad_input);
    EXPECT_THAT(error.hint(), HasSubstr("--format cif"));
    EXPECT_EQ(reason_against(structure, StructureFormat::cif), "");
    return std::string(error.what());
  };
  EXPECT_EQ(reason_against(example_structure(many_chains(62, "G")), StructureFormat::pdb), "");
  EXPECT_THAT(refusal(example_structure(many_chains(63, "G"))), HasSubstr("63 chains"));
  EXPECT_THAT(refusal(example_structure(std::string(10000, 'X') + "G")), HasSubstr("10001 residues"));
  // 7,142 residues of 14 atoms are 99,988 atoms; each end of a chain takes a serial number too.
  const std::string half(3571, 'W');
  EXPECT_EQ(reason_against(example_structure(half + ":" + half + "AG:X"), StructureFormat::pdb), "");  // 99,999
  EXPECT_THAT(refusal(example_structure(half + ":" + half + "AA")), HasSubstr("99998 atoms"));         // 100,000
}

TEST(PdbTest, CoordinatesBeyondItsColumnsAreRefused) {
  Structure structure = example_structure("AC");
  for (const float fits : {9999.999F, -999.999F, 9999.4F}) {
    structure.positions[4] = fits;
    EXPECT_EQ(reason_against(structure, StructureFormat::pdb), "") << fits;
    EXPECT_THAT(lines_of(pdb_text(structure, example_origin())), Each(SizeIs(80)));
  }
  for (const float too_far : {10000.0F, -1000.0F, 1e9F}) {
    structure.positions[4] = too_far;
    EXPECT_THAT(reason_against(structure, StructureFormat::pdb), HasSubstr("-999.999 to 9999.999")) << too_far;
    EXPECT_EQ(reason_against(structure, StructureFormat::cif), "") << too_far;
  }
}

TEST(StructureTextTest, NothingToWriteIsRefusedInBothFormats) {
  for (const StructureFormat format : {StructureFormat::pdb, StructureFormat::cif}) {
    EXPECT_THAT(reason_against(example_structure("XXX"), format), HasSubstr("no atoms"));
    EXPECT_THAT(reason_against(example_structure(""), format), HasSubstr("no atoms"));
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      Structure structure = example_structure("ACD");
      structure.positions[7] = bad;
      EXPECT_THAT(reason_against(structure, format), HasSubstr("finite"));
      structure = example_structure("ACD");
      structure.plddt[3] = bad;
      EXPECT_EQ(error_of([&] { (void)structure_text(structure, format, example_origin()); }).code(),
                ErrorCode::bad_input);
    }
  }
}

TEST(StructureTextTest, PartsOfDifferentLengthAreABug) {
  Structure structure = example_structure("ACD");
  structure.plddt.pop_back();
  EXPECT_EQ(error_of([&] { (void)reason_against(structure, StructureFormat::cif); }).code(), ErrorCode::internal);
}

TEST(CifTest, HasTheCategoriesOfModelCif) {
  const std::string text = cif_text(example_structure("AXG:AXG:M"), example_origin());
  for (const char* category : {"_entry.id",
                               "_struct.title",
                               "_audit_conform.dict_name",
                               "_chem_comp.type",
                               "_entity.type",
                               "_entity_poly.type",
                               "_entity_poly_seq.mon_id",
                               "_struct_asym.entity_id",
                               "_software.name",
                               "_ma_software_group.software_id",
                               "_ma_data.content_type",
                               "_ma_target_entity.data_id",
                               "_ma_target_entity_instance.asym_id",
                               "_ma_protocol_step.method_type",
                               "_ma_model_list.model_type",
                               "_ma_qa_metric.mode",
                               "_ma_qa_metric_global.metric_value",
                               "_ma_qa_metric_local.metric_value",
                               "_atom_type.symbol",
                               "_atom_site.group_PDB",
                               "_atom_site.label_seq_id",
                               "_atom_site.auth_seq_id",
                               "_atom_site.B_iso_or_equiv"}) {
    EXPECT_THAT(text, HasSubstr(category));
  }
  EXPECT_THAT(lines_of(text, "ATOM"), SizeIs(5 + 4 + 5 + 4 + 8));
  EXPECT_THAT(text, HasSubstr("1 1 1 51.25"));   // pLDDT of the whole
  EXPECT_THAT(text, HasSubstr("2 1 3 0.5156"));  // pTM
}

TEST(CifTest, HoldsWhatPdbCannot) {
  const std::string text = cif_text(example_structure(many_chains(70, "G")), example_origin());
  EXPECT_THAT(lines_of(text, "ATOM"), SizeIs(280));
  EXPECT_THAT(text, HasSubstr(" AH "));  // the 70th chain
}

TEST(CifTest, TextsThatCouldBreakTheFileAreQuoted) {
  const std::vector<std::string> ids{"'a'", "\"b\" 'c'", "_atom_site.id", "data_x", "loop_", ";semi", "#hash",
                                     "?",   ".",         "a\n;b",         "",       "$x",    "[y]"};
  for (const std::string& id : ids) {
    Structure structure = example_structure("AC", id);
    structure.description = id;
    const std::string text = cif_text(structure, example_origin());
    EXPECT_THAT(lines_of(text, "data_"), SizeIs(1)) << id;
    EXPECT_THAT(lines_of(text, "ATOM"), SizeIs(11)) << id;
  }
}

}  // namespace
}  // namespace pleat
