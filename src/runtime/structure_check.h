// Whether a predicted structure may be believed to be one: a pure look at its numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/record_code.h"

namespace pleat {

// L residues, in the atom14 layout.
struct StructureNumbers {
  std::span<const float> positions;         // [L, 14, 3] ångström
  std::span<const std::uint8_t> atom_mask;  // [L, 14]
  std::span<const float> plddt;             // [L, 14]
  std::span<const float> pae;               // [L, L], or empty
  std::span<const std::uint16_t> chain;     // [L]
  double mean_plddt = 0;
  double ptm = 0;
};

struct StructureVerdict {
  bool usable = true;              // false: the numbers are none
  std::optional<RecordCode> code;  // nothing where nothing is wrong
  std::string message;
};

// not_finite            NaN or infinity anywhere; only the mean pLDDT of a structure without atoms may be NaN.
// suspicious_structure  usable, but either most neighbouring C-alpha atoms are not 2.5 to 5 ångström apart while pTM is
//                       above 0.95, as when an index has overflowed, or more than ten residues have one and the same
//                       pLDDT. Neighbours are residues of one chain that both have a C-alpha atom.
[[nodiscard]] StructureVerdict check_structure(const StructureNumbers& numbers);

}  // namespace pleat
