#include "esmfold/residue_constants.h"

#include <algorithm>
#include <cmath>

namespace pleat {
namespace {

struct Atom {
  std::string_view name;
  std::int64_t group = 0;
  Position position{};  // ångström, in the group's frame: the x axis along the bond it turns about
};

struct Residue {
  std::array<Atom, atom14_count> atoms;         // in atom14 order
  std::array<std::string_view, 4> chi_origins;  // the atom at the origin of each chi group's frame
};

// Ideal geometry, as AlphaFold uses it. The angle at the CD of proline is 2 degrees wider than in its literature.
constexpr PerResidueType<Residue> residues = {{
    // ALA
    {{{{"N", 0, {-0.525, 1.363, 0}},
       {"CA", 0, {0, 0, 0}},
       {"C", 0, {1.526, 0, 0}},
       {"O", 3, {0.627, 1.062, 0}},
       {"CB", 0, {-0.529, -0.774, -1.205}}}},
     {}},
    // ARG
    {{{{"N", 0, {-0.524, 1.362, 0}},
       {"CA", 0, {0, 0, 0}},
       {"C", 0, {1.525, 0, 0}},
       {"O", 3, {0.626, 1.062, 0}},
       {"CB", 0, {-0.524, -0.778, -1.209}},
       {"CG", 4, {0.616, 1.390, 0}},
       {"CD", 5, {0.564, 1.414, 0}},
       {"NE", 6, {0.539, 1.357, 0}},
       {"CZ", 7, {0.758, 1.093, 0}},
       {"NH1", 7, {0.206, 2.301, 0}},
       {"NH2", 7, {2.078, 0.978, 0}}}},
     {"CB", "CG", "CD", "NE"}},
    // ASN
    {{{{"N", 0, {-0.536, 1.357, 0}},
       {"CA", 0, {0, 0, 0}},
       {"C", 0, {1.526, 0, 0}},
       {"O", 3, {0.625, 1.062, 0}},
       {"CB", 0, {-0.531, -0.787, -1.200}},
       {"CG", 4, {0.584, 1.399, 0}},
       {"OD1", 5, {0.633, 1.059, 0}},
       {"ND2", 5, {0.593, -1.188, 0.001}}}},
     {"CB", "CG"}},
    // ASP
    {{{{"N", 0, {-0.525, 1.362, 0}},
       {"CA", 0, {0, 0, 0}},
       {"C", 0, {1.527, 0, 0}},
       {"O", 3, {0.626, 1.062, 0}},
       {"CB", 0, {-0.526, -0.778, -1.208}},
       {"CG", 4, {0.593, 1.398, 0}},
       {"OD1", 5, {0.610, 1.091, 0}},
       {"OD2", 5, {0.592, -1.101, -0.003}}}},
     {"CB", "CG"}},
    // CYS
    {{{{"N", 0, {-0.522, 1.362, 0}},
       {"CA", 0, {0, 0, 0}},
       {"C", 0, {1.524, 0, 0}},
       {"O", 3, {0.625, 1.062, 0}},
       {"CB", 0, {-0.519, -0.773, -1.212}},
       {"SG", 4, {0.728, 1.653, 0}}}},
     {"CB"}},
    // GLN
    {{{{"N", 0, {-0.526, 1.361, 0}},
       {"CA", 0, {0, 0, 0}},
       {"C", 0, {1.526, 0, 0}},
       {"O", 3, {0.626, 1.062, 0}},
       {"CB", 0, {-0.525, -0.779, -1.207}},
       {"CG", 4, {0.615, 1.393, 0}},
       {"CD", 5, {0.587, 1.399, 0}},
       {"OE1", 6, {0.634, 1.060, 0}},
       {"NE2", 6, {0.593, -1.189, -0.001}}}},
     {"CB", "CG", "CD"}},
    // GLU
    {{{{"N", 0, {-0.528, 1.361, 0}},
       {"CA", 0, {0, 0, 0}},
       {"C", 0, {1.526, 0, 0}},
       {"O", 3, {0.626, 1.062, 0}},
       {"CB", 0, {-0.526, -0.781, -1.207}},
       {"CG", 4, {0.615, 1.392, 0}},
       {"CD", 5, {0.600, 1.397, 0}},
       {"OE1", 6, {0.607, 1.095, 0}},
       {"OE2", 6, {0.589, -1.104, -0.001}}}},
     {"CB", "CG", "CD"}},
    // GLY
    {{{{"N", 0, {-0.572, 1.337, 0}}, {"CA", 0, {0, 0, 0}}, {"C", 0, {1.517, 0, 0}}, {"O", 3, {0.626, 1.062, 0}}}}, {}},
    // HIS
    {{{{"N", 0, {-0.527, 1.360, 0}},
       {"CA", 0, {0, 0, 0}},
       {"C", 0, {1.525, 0, 0}},
       {"O", 3, {0.625, 1.063, 0}},
       {"CB", 0, {-0.525, -0.778, -1.208}},
       {"CG", 4, {0.600, 1.370, 0}},
       {"ND1", 5, {0.744, 1.160, 0}},
       {"CD2", 5, {0.889, -1.021, 0.003}},
       {"CE1", 5, {2.030, 0.851, 0.002}},
       {"NE2", 5, {2.145, -0.466, 0.004}}}},
     {"CB", "CG"}},
    // ILE
    {{{{"N", 0, {-0.493, 1.373, 0}},
       {"CA", 0, {0, 0, 0}},
       {"C", 0, {1.527, 0, 0}},
       {"O", 3, {0.627, 1.062, 0}},
       {"CB", 0, {-0.536, -0.793, -1.213}},
       {"CG1", 4, {0.534, 1.437, 0}},
       {"CG2", 4, {0.540, -0.785, -1.199}},
       {"CD1", 5, {0.619, 1.391, 0}}}},
     {"CB", "CG1"}},
    // LEU
    {{{{"N", 0, {-0.520, 1.363, 0}},
       {"CA", 0, {0, 0, 0}},
       {"C", 0, {1.525, 0, 0}},
       {"O", 3, {0.625, 1.063, 0}},
       {"CB", 0, {-0.522, -0.773, -1.214}},
       {"CG", 4, {0.678, 1.371, 0}},
       {"CD1", 5, {0.530, 1.430, 0}},
       {"CD2", 5, {0.535, -0.774, 1.200}}}},
     {"CB", "CG"}},
    // LYS
    {{{{"N", 0, {-0.526, 1.362, 0}},
       {"CA", 0, {0, 0, 0}},
       {"C", 0, {1.526, 0, 0}},
       {"O", 3, {0.626, 1.062, 0}},
       {"CB", 0, {-0.524, -0.778, -1.208}},
       {"CG", 4, {0.619, 1.390, 0}},
       {"CD", 5, {0.559, 1.417, 0}},
       {"CE", 6, {0.560, 1.416, 0}},
       {"NZ", 7, {0.554, 1.387, 0}}}},
     {"CB", "CG", "CD", "CE"}},
    // MET
    {{{{"N", 0, {-0.521, 1.364, 0}},
       {"CA", 0, {0, 0, 0}},
       {"C", 0, {1.525, 0, 0}},
       {"O", 3, {0.625, 1.062, 0}},
       {"CB", 0, {-0.523, -0.776, -1.210}},
       {"CG", 4, {0.613, 1.391, 0}},
       {"SD", 5, {0.703, 1.695, 0}},
       {"CE", 6, {0.320, 1.786, 0}}}},
     {"CB", "CG", "SD"}},
    // PHE
    {{{{"N", 0, {-0.518, 1.363, 0}},
       {"CA", 0, {0, 0, 0}},
       {"C", 0, {1.524, 0, 0}},
       {"O", 3, {0.626, 1.062, 0}},
       {"CB", 0, {-0.525, -0.776, -1.212}},
       {"CG", 4, {0.607, 1.377, 0}},
       {"CD1", 5, {0.709, 1.195, 0}},
       {"CD2", 5, {0.706, -1.196, 0}},
       {"CE1", 5, {2.102, 1.198, 0}},
       {"CE2", 5, {2.098, -1.201, 0}},
       {"CZ", 5, {2.794, -0.003, -0.001}}}},
     {"CB", "CG"}},
    // PRO
    {{{{"N", 0, {-0.566, 1.351, 0}},
       {"CA", 0, {0, 0, 0}},
       {"C", 0, {1.527, 0, 0}},
       {"O", 3, {0.621, 1.066, 0}},
       {"CB", 0, {-0.546, -0.611, -1.293}},
       {"CG", 4, {0.382, 1.445, 0}},
       {"CD", 5, {0.477, 1.424, 0}}}},
     {"CB", "CG"}},
    // SER
    {{{{"N", 0, {-0.529, 1.360, 0}},
       {"CA", 0, {0, 0, 0}},
       {"C", 0, {1.525, 0, 0}},
       {"O", 3, {0.626, 1.062, 0}},
       {"CB", 0, {-0.518, -0.777, -1.211}},
       {"OG", 4, {0.503, 1.325, 0}}}},
     {"CB"}},
    // THR
    {{{{"N", 0, {-0.517, 1.364, 0}},
       {"CA", 0, {0, 0, 0}},
       {"C", 0, {1.526, 0, 0}},
       {"O", 3, {0.626, 1.062, 0}},
       {"CB", 0, {-0.516, -0.793, -1.215}},
       {"OG1", 4, {0.472, 1.353, 0}},
       {"CG2", 4, {0.550, -0.718, -1.228}}}},
     {"CB"}},
    // TRP
    {{{{"N", 0, {-0.521, 1.363, 0}},
       {"CA", 0, {0, 0, 0}},
       {"C", 0, {1.525, 0, 0}},
       {"O", 3, {0.627, 1.062, 0}},
       {"CB", 0, {-0.523, -0.776, -1.212}},
       {"CG", 4, {0.609, 1.370, 0}},
       {"CD1", 5, {0.824, 1.091, 0}},
       {"CD2", 5, {0.854, -1.148, -0.005}},
       {"NE1", 5, {2.140, 0.690, -0.004}},
       {"CE2", 5, {2.186, -0.678, -0.007}},
       {"CE3", 5, {0.622, -2.530, -0.007}},
       {"CZ2", 5, {3.283, -1.543, -0.011}},
       {"CZ3", 5, {1.715, -3.389, -0.011}},
       {"CH2", 5, {3.028, -2.890, -0.013}}}},
     {"CB", "CG"}},
    // TYR
    {{{{"N", 0, {-0.522, 1.362, 0}},
       {"CA", 0, {0, 0, 0}},
       {"C", 0, {1.524, 0, 0}},
       {"O", 3, {0.627, 1.062, 0}},
       {"CB", 0, {-0.522, -0.776, -1.213}},
       {"CG", 4, {0.607, 1.382, 0}},
       {"CD1", 5, {0.716, 1.195, 0}},
       {"CD2", 5, {0.713, -1.194, -0.001}},
       {"CE1", 5, {2.107, 1.200, -0.002}},
       {"CE2", 5, {2.104, -1.201, -0.003}},
       {"CZ", 5, {2.791, -0.001, -0.003}},
       {"OH", 5, {4.168, -0.002, -0.005}}}},
     {"CB", "CG"}},
    // VAL
    {{{{"N", 0, {-0.494, 1.373, 0}},
       {"CA", 0, {0, 0, 0}},
       {"C", 0, {1.527, 0, 0}},
       {"O", 3, {0.627, 1.062, 0}},
       {"CB", 0, {-0.533, -0.795, -1.213}},
       {"CG1", 4, {0.540, 1.429, 0}},
       {"CG2", 4, {0.533, -0.776, 1.203}}}},
     {"CB"}},
    // UNK
    {},
}};

constexpr std::size_t chi_group = 4;  // the rigid group of chi 1

constexpr PerAtom14<std::string_view> names_of(const PerResidueType<Residue>& table) {
  PerAtom14<std::string_view> names;
  for (std::size_t type = 0; type < residue_type_count; ++type) {
    for (std::size_t slot = 0; slot < atom14_count; ++slot) names[type][slot] = table[type].atoms[slot].name;
  }
  return names;
}

Position position_of(const Residue& residue, std::string_view name) {
  return std::ranges::find(residue.atoms, name, &Atom::name)->position;
}

Position difference(const Position& a, const Position& b) { return {a[0] - b[0], a[1] - b[1], a[2] - b[2]}; }

double dot(const Position& a, const Position& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

Position normalised(const Position& a) {
  const double length = std::sqrt(dot(a, a));
  return {a[0] / length, a[1] / length, a[2] / length};
}

Position cross(const Position& a, const Position& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

constexpr Transform identity = {{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}};

// The frame at `origin` whose x axis points along `x`, and in whose x-y plane `y` lies, on the side of positive y.
Transform frame(const Position& x, const Position& y, const Position& origin) {
  const Position ex = normalised(x);
  const double along = dot(y, ex);
  const Position ey = normalised(difference(y, {along * ex[0], along * ex[1], along * ex[2]}));
  const Position ez = cross(ex, ey);
  Transform transform = identity;
  for (std::size_t row = 0; row < 3; ++row) {
    transform[row] = {static_cast<float>(ex[row]), static_cast<float>(ey[row]), static_cast<float>(ez[row]),
                      static_cast<float>(origin[row])};
  }
  return transform;
}

std::array<Transform, rigid_group_count> default_frames(const Residue& residue) {
  const Position n = position_of(residue, "N");
  const Position ca = position_of(residue, "CA");
  const Position c = position_of(residue, "C");
  std::array<Transform, rigid_group_count> frames{};
  frames[0] = identity;
  frames[1] = identity;  // omega moves no atom of its own residue
  frames[2] = frame(difference(n, ca), {1, 0, 0}, n);
  frames[3] = frame(difference(c, ca), difference(ca, n), c);
  for (std::size_t chi = 0; chi < residue.chi_origins.size() && !residue.chi_origins[chi].empty(); ++chi) {
    const Position origin = position_of(residue, residue.chi_origins[chi]);
    // From chi 2 on the axis starts at the origin of the group before, whose x axis comes from the atom before that.
    frames[chi_group + chi] =
        chi == 0 ? frame(difference(origin, ca), difference(n, ca), origin) : frame(origin, {-1, 0, 0}, origin);
  }
  return frames;
}

ResidueConstants make_constants() {
  ResidueConstants constants;
  for (std::size_t type = 0; type < residue_type_count; ++type) {
    for (std::size_t slot = 0; slot < atom14_count; ++slot) {
      const Atom& atom = residues[type].atoms[slot];
      if (atom.name.empty()) continue;
      constants.atom14_mask[type][slot] = 1;
      constants.atom14_to_atom37[type][slot] = std::ranges::find(atom37_names, atom.name) - atom37_names.begin();
      constants.rigid_group[type][slot] = atom.group;
      constants.positions[type][slot] = atom.position;
    }
    if (constants.atom14_mask[type][0] != 0) constants.default_frames[type] = default_frames(residues[type]);
  }
  return constants;
}

}  // namespace

constexpr PerAtom14<std::string_view> atom14_names = names_of(residues);

constexpr std::array<std::string_view, atom37_count> atom37_names = {
    "N",   "CA",  "C",   "CB",  "O",   "CG", "CG1", "CG2", "OG",  "OG1", "SG", "CD",  "CD1",
    "CD2", "ND1", "ND2", "OD1", "OD2", "SD", "CE",  "CE1", "CE2", "CE3", "NE", "NE1", "NE2",
    "OE1", "OE2", "CH2", "NH1", "NH2", "OH", "CZ",  "CZ2", "CZ3", "NZ",  "OXT"};

std::int64_t aatype_of(char letter) {
  const std::size_t place = residue_letters.find(letter);
  return place == std::string_view::npos ? aatype_unknown : static_cast<std::int64_t>(place);
}

const ResidueConstants& residue_constants() {
  static const ResidueConstants constants = make_constants();
  return constants;
}

}  // namespace pleat
