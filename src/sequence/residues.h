// The 20 amino acids and X as structures name them: three letters, and the atoms in the 14 slots of AlphaFold's compact
// layout (Jumper et al. 2021, supplement, table 1; atom names as in the Chemical Component Dictionary of the PDB).
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace pleat::residues {

// AlphaFold's order. X stands for every other letter: it has no atoms.
inline constexpr std::string_view letters = "ARNDCQEGHILKMFPSTWYVX";
inline constexpr std::size_t types = letters.size();
inline constexpr std::size_t unknown = types - 1;
inline constexpr std::size_t slots = 14;

// By their letters.
inline constexpr std::string_view amino_acids = "ACDEFGHIKLMNPQRSTVWY";

// The place of a one-letter code in `letters`.
[[nodiscard]] constexpr std::size_t type_of(char letter) {
  const std::size_t place = letters.find(letter);
  return place == std::string_view::npos ? unknown : place;
}

inline constexpr std::array<std::string_view, types> names = {"ALA", "ARG", "ASN", "ASP", "CYS", "GLN", "GLU",
                                                              "GLY", "HIS", "ILE", "LEU", "LYS", "MET", "PHE",
                                                              "PRO", "SER", "THR", "TRP", "TYR", "VAL", "UNK"};

// Empty where the residue has no such atom. The element is the first letter: C, N, O or S.
inline constexpr std::array<std::array<std::string_view, slots>, types> atom_names = {{
    {"N", "CA", "C", "O", "CB"},
    {"N", "CA", "C", "O", "CB", "CG", "CD", "NE", "CZ", "NH1", "NH2"},
    {"N", "CA", "C", "O", "CB", "CG", "OD1", "ND2"},
    {"N", "CA", "C", "O", "CB", "CG", "OD1", "OD2"},
    {"N", "CA", "C", "O", "CB", "SG"},
    {"N", "CA", "C", "O", "CB", "CG", "CD", "OE1", "NE2"},
    {"N", "CA", "C", "O", "CB", "CG", "CD", "OE1", "OE2"},
    {"N", "CA", "C", "O"},
    {"N", "CA", "C", "O", "CB", "CG", "ND1", "CD2", "CE1", "NE2"},
    {"N", "CA", "C", "O", "CB", "CG1", "CG2", "CD1"},
    {"N", "CA", "C", "O", "CB", "CG", "CD1", "CD2"},
    {"N", "CA", "C", "O", "CB", "CG", "CD", "CE", "NZ"},
    {"N", "CA", "C", "O", "CB", "CG", "SD", "CE"},
    {"N", "CA", "C", "O", "CB", "CG", "CD1", "CD2", "CE1", "CE2", "CZ"},
    {"N", "CA", "C", "O", "CB", "CG", "CD"},
    {"N", "CA", "C", "O", "CB", "OG"},
    {"N", "CA", "C", "O", "CB", "OG1", "CG2"},
    {"N", "CA", "C", "O", "CB", "CG", "CD1", "CD2", "NE1", "CE2", "CE3", "CZ2", "CZ3", "CH2"},
    {"N", "CA", "C", "O", "CB", "CG", "CD1", "CD2", "CE1", "CE2", "CZ", "OH"},
    {"N", "CA", "C", "O", "CB", "CG1", "CG2"},
    {},
}};

}  // namespace pleat::residues
