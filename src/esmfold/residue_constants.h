// What is known of the 20 amino acids before any prediction: the names of their atoms, which atoms move as one rigid
// group, where they lie in it, and how each group lies in the one before it (Jumper et al. 2021, "Highly accurate
// protein structure prediction with AlphaFold", supplement, table 2 and section 1.8.4). Ångström.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pleat {

// AlphaFold's order of residues; a residue's place in it is its "aatype". X stands for an unknown one: it has no atoms.
inline constexpr std::string_view residue_letters = "ARNDCQEGHILKMFPSTWYVX";
inline constexpr std::size_t residue_type_count = residue_letters.size();
inline constexpr std::int64_t aatype_unknown = 20;

inline constexpr std::size_t atom14_count = 14;  // slots of a residue; which atom lies in a slot depends on the residue
inline constexpr std::size_t atom37_count = 37;  // kinds of atom, the same in every residue
// Rigid groups: the backbone, three of its torsion angles (omega, phi, psi), chi 1 to 4 of the side chain.
inline constexpr std::size_t rigid_group_count = 8;

template <class T>
using PerResidueType = std::array<T, residue_type_count>;
template <class T>
using PerAtom14 = PerResidueType<std::array<T, atom14_count>>;
using Position = std::array<double, 3>;
using Transform = std::array<std::array<float, 4>, 4>;  // homogeneous: rotation, translation in the last column

// The place of a one-letter code in `residue_letters`; X for any letter that is not there.
[[nodiscard]] std::int64_t aatype_of(char letter);

inline constexpr PerResidueType<std::string_view> residue_names = {"ALA", "ARG", "ASN", "ASP", "CYS", "GLN", "GLU",
                                                                   "GLY", "HIS", "ILE", "LEU", "LYS", "MET", "PHE",
                                                                   "PRO", "SER", "THR", "TRP", "TYR", "VAL", "UNK"};

// Names of the atoms in the 14 slots of each residue, as in the PDB, the backbone's N, CA, C, O first; empty where the
// residue has no such atom.
extern const PerAtom14<std::string_view> atom14_names;

extern const std::array<std::string_view, atom37_count> atom37_names;

struct ResidueConstants {
  PerAtom14<std::uint8_t> atom14_mask{};       // 1 where there is an atom
  PerAtom14<std::int64_t> atom14_to_atom37{};  // 0 where there is none
  PerAtom14<std::int64_t> rigid_group{};       // the group that moves the atom; 0 where there is none
  PerAtom14<Position> positions{};             // of the atom in its group; 0 where there is none
  // From each group to the one that carries it at a torsion angle of 0: the backbone for groups up to chi 1, chi n - 1
  // for chi n. All zero for groups that the residue does not have.
  PerResidueType<std::array<Transform, rigid_group_count>> default_frames{};
};

[[nodiscard]] const ResidueConstants& residue_constants();

}  // namespace pleat
